//! What a user would pick instead, where it is installed: each with one worker, in front of the same API.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::Failure;
use crate::load::Shot;

/// How long a rival may take to listen.
const START_MAX: Duration = Duration::from_secs(5);
/// Where Debian keeps the modules of nginx.
const MODULES: &str = "/usr/lib/nginx/modules";

/// The filter that takes the same fields away as the sidecar does, as nginx is taught to.
const FILTER: &str = "
    header_filter_by_lua_block { ngx.header.content_length = nil }
    body_filter_by_lua_block {
        local held = (ngx.ctx.held or '') .. (ngx.arg[1] or '')
        if not ngx.arg[2] then ngx.ctx.held = held; ngx.arg[1] = nil; return end
        local cjson = require 'cjson.safe'
        local whole = cjson.decode(held)
        if not whole then ngx.arg[1] = nil; return end
        whole.card = nil; whole.internal_score = nil
        ngx.arg[1] = cjson.encode(whole)
    }";

/// A rival that listens; it ends with this.
pub(crate) struct Rival {
    pub(crate) name: &'static str,
    pub(crate) shot: Arc<Shot>,
    child: Child,
}

impl Drop for Rival {
    fn drop(&mut self) {
        // nginx's master ends its worker when asked to, and would leave it behind when killed.
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").arg(pid).status();
        if asked.is_ok() {
            drop(self.child.wait());
        }
    }
}

/// Starts those that are installed.
pub(crate) fn start(folder: &Path, api: &Shot) -> Result<Vec<Rival>, Failure> {
    let lua = Path::new(MODULES).join("ngx_http_lua_module.so");
    let mut rivals = Vec::new();
    if let Some(nginx) = installed("nginx") {
        rivals.push(run("d  nginx, passes on", folder, api, &|port, file| {
            fs::write(file, nginx_conf(file, port, api.addr, "", ""))?;
            Ok(command(&nginx, file))
        })?);
        if lua.exists() {
            let load = format!("load_module {MODULES}/ndk_http_module.so; load_module {};", lua.display());
            rivals.push(run("e  nginx, a Lua filter redacts", folder, api, &|port, file| {
                fs::write(file, nginx_conf(file, port, api.addr, &load, FILTER))?;
                Ok(command(&nginx, file))
            })?);
        }
    }
    if let Some(haproxy) = installed("haproxy") {
        rivals.push(run("f  haproxy, passes on", folder, api, &|port, file| {
            fs::write(file, haproxy_cfg(port, api.addr))?;
            let mut command = Command::new(&haproxy);
            command.args(["-db", "-f"]).arg(file);
            Ok(command)
        })?);
    }
    Ok(rivals)
}

type Prepare<'a> = &'a dyn Fn(u16, &Path) -> Result<Command, Failure>;

fn run(name: &'static str, folder: &Path, api: &Shot, prepare: Prepare<'_>) -> Result<Rival, Failure> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = prepare(port, &folder.join(format!("rival-{port}.conf")))?;
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    let shot = Shot { addr, path: api.path, headers: Vec::new(), answer: bytes::Bytes::new() };
    let rival = Rival { name, shot: Arc::new(shot), child };
    let began = Instant::now();
    while TcpStream::connect(addr).is_err() {
        if began.elapsed() > START_MAX {
            return Err(format!("{name} does not listen").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(rival)
}

fn command(nginx: &Path, file: &Path) -> Command {
    let mut command = Command::new(nginx);
    command.arg("-c").arg(file);
    command
}

fn installed(name: &str) -> Option<PathBuf> {
    ["/usr/sbin", "/usr/bin"].iter().map(|dir| Path::new(dir).join(name)).find(|path| path.exists())
}

fn nginx_conf(file: &Path, port: u16, api: SocketAddr, load: &str, filter: &str) -> String {
    let base = file.display();
    format!(
        "{load} daemon off; worker_processes 1; pid {base}.pid; error_log /dev/null;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 100000000; client_body_temp_path {base}.body; proxy_temp_path {base}.proxy;
  fastcgi_temp_path {base}.f; uwsgi_temp_path {base}.u; scgi_temp_path {base}.s;
  upstream api {{ server {api}; keepalive 256; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ''; {filter} }}
  }}
}}
"
    )
}

fn haproxy_cfg(port: u16, api: SocketAddr) -> String {
    format!(
        "global
  nbthread 1
  maxconn 2048
defaults
  mode http
  http-reuse always
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend f
  bind 127.0.0.1:{port}
  default_backend b
backend b
  server s {api}
"
    )
}
