//! What a user would pick instead, where it is installed: each with one worker, in front of the same API.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;
use crate::cores::{Cores, Share};
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
    pub(crate) shot: Shot,
    child: Child,
}

impl Rival {
    /// Its process, or the one that started the others.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
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
pub(crate) fn start(folder: &Path, api: &Shot, cores: &Cores) -> Result<Vec<Rival>, Failure> {
    let lua = Path::new(MODULES).join("ngx_http_lua_module.so");
    let mut rivals = Vec::new();
    if let Some(nginx) = installed("nginx") {
        rivals.push(run("d  nginx, passes on", (folder, &cores.proxy), api, &|port, file| {
            fs::write(file, nginx_conf(file, port, api.addr, "", ""))?;
            Ok(words(&nginx, &["-c".as_ref(), file.as_os_str()]))
        })?);
        if lua.exists() {
            let load = format!("load_module {MODULES}/ndk_http_module.so; load_module {};", lua.display());
            rivals.push(run(
                "e  nginx, a Lua filter redacts",
                (folder, &cores.proxy),
                api,
                &|port, file| {
                    fs::write(file, nginx_conf(file, port, api.addr, &load, FILTER))?;
                    Ok(words(&nginx, &["-c".as_ref(), file.as_os_str()]))
                },
            )?);
        }
    }
    if let Some(haproxy) = installed("haproxy") {
        rivals.push(run("f  haproxy, passes on", (folder, &cores.proxy), api, &|port, file| {
            fs::write(file, haproxy_cfg(port, api.addr))?;
            Ok(words(&haproxy, &["-db".as_ref(), "-f".as_ref(), file.as_os_str()]))
        })?);
    }
    if let Some(envoy) = std::env::var_os("CONSENTRY_ENVOY").map(PathBuf::from).or_else(|| installed("envoy"))
    {
        for (name, asks) in
            [("g  Envoy, passes on", false), ("h  Envoy, asks an authority (ext_authz)", true)]
        {
            rivals.push(run(name, (folder, &cores.proxy), api, &|port, file| {
                // It tells by the end of the name how a file is written.
                let file = file.with_extension("json");
                fs::write(&file, envoy_json(port, api.addr, asks).to_string())?;
                let more = ["--concurrency", "1", "--log-level", "off", "--use-dynamic-base-id"];
                let more = more.iter().map(AsRef::as_ref);
                let all: Vec<&OsStr> = ["-c".as_ref(), file.as_os_str()].into_iter().chain(more).collect();
                Ok(words(&envoy, &all))
            })?);
        }
    }
    Ok(rivals)
}

/// A program and its arguments.
fn words(program: &Path, arguments: &[&OsStr]) -> Vec<OsString> {
    std::iter::once(program.as_os_str()).chain(arguments.iter().copied()).map(OsStr::to_owned).collect()
}

type Prepare<'a> = &'a dyn Fn(u16, &Path) -> Result<Vec<OsString>, Failure>;

fn run(
    name: &'static str,
    (folder, cores): (&Path, &Share),
    api: &Shot,
    prepare: Prepare<'_>,
) -> Result<Rival, Failure> {
    let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let words = prepare(port, &folder.join(format!("rival-{port}.conf")))?;
    let (program, arguments) = words.split_first().ok_or("no program")?;
    let mut command = cores.command(program);
    command.args(arguments);
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let addr = SocketAddr::from(([127, 0, 0, 1], port));
    let shot = Shot { addr, path: api.path, headers: Vec::new() };
    let rival = Rival { name, shot, child };
    let began = Instant::now();
    while TcpStream::connect(addr).is_err() {
        if began.elapsed() > START_MAX {
            return Err(format!("{name} does not listen").into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(rival)
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

fn envoy_json(port: u16, api: SocketAddr, asks: bool) -> Value {
    let at = |port: u16| json!({ "socket_address": { "address": "127.0.0.1", "port_value": port } });
    let filter = |name: &str, config: Value| json!({ "name": format!("envoy.filters.http.{name}"), "typed_config": config });
    let service = json!({ "server_uri": { "uri": "http://api", "cluster": "api", "timeout": "1s" } });
    // It asks the API itself, which says yes to whom it would answer.
    let asking = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz";
    let authority = filter("ext_authz", json!({ "@type": asking, "http_service": service }));
    let routing = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router";
    let router = filter("router", json!({ "@type": routing }));
    let filters: Vec<Value> = asks.then_some(authority).into_iter().chain([router]).collect();
    let routes = json!([{ "match": { "prefix": "/" }, "route": { "cluster": "api" } }]);
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "in",
        "generate_request_id": false,
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": routes }] },
        "http_filters": filters,
    });
    let chain = json!({ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager });
    let endpoint = json!({ "endpoint": { "address": at(api.port()) } });
    let assignment = json!({ "cluster_name": "api", "endpoints": [{ "lb_endpoints": [endpoint] }] });
    json!({ "static_resources": {
        "listeners": [{ "address": at(port), "filter_chains": [{ "filters": [chain] }] }],
        "clusters": [{ "name": "api", "type": "STATIC", "load_assignment": assignment }],
    } })
}
