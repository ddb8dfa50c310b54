//! `legacy-api [--port PORT]`: serves the example API on the loopback address.

use std::error::Error;
use std::net::Ipv4Addr;
use std::process::ExitCode;

use legacy_api::{Legacy, router, serve};
use tokio::net::TcpListener;

/// What `--help` prints.
const USAGE: &str = "\
usage: legacy-api [--port PORT] [--help]

  --port PORT   the port on the loopback address; 9000 without it, 0 takes whichever is free
  --help        print this";

/// The port when none is given.
const PORT_DEFAULT: u16 = 9000;

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "a command says what it does")]
async fn main() -> ExitCode {
    if std::env::args().skip(1).any(|arg| arg == "--help" || arg == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[allow(clippy::print_stderr, reason = "a command says where it listens")]
async fn run() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port(std::env::args().skip(1))?)).await?;
    eprintln!("legacy-api listens on http://{}", listener.local_addr()?);
    let stop = async {
        // Without a signal handler there is nothing to wait for but the end of the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    Ok(serve(listener, router(Legacy::new()), stop).await?)
}

fn port(mut args: impl Iterator<Item = String>) -> Result<u16, Box<dyn Error>> {
    let port = match (args.next().as_deref(), args.next()) {
        (None, _) => PORT_DEFAULT,
        (Some("--port"), Some(port)) => port.parse().map_err(|_| USAGE)?,
        (Some(_), _) => return Err(USAGE.into()),
    };
    if args.next().is_some() { Err(USAGE.into()) } else { Ok(port) }
}
