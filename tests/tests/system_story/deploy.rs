//! What lies in `deploy/` is really started: the four services of the compose file, on folders that `deploy/found` made,
//! finalise blocks; the unit of systemd goes on with the folder of one of them; the image's check of health says so.

use super::{binaries, light, Folder};
use openledger_tests::{
    cli::forget_environment, interrupt::poll, network::free_port, process::Process, rpc::Rpc,
    Actor, Cli,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// How long anything may take: four nodes share the machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// Runs a program that must succeed; its output.
pub(super) fn succeed(mut command: Command) -> Vec<u8> {
    forget_environment(&mut command);
    let done = command.output().expect("the program can be started");
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// Founds a network of four by `deploy/found`, whose first node listens at a port of this machine.
pub(super) fn found(network: &Path, node: &Path, port: u16) {
    let mut found = Command::new(deploy("found"));
    found.arg(network).args(["--validators", "4", "--name", "Test", "--node"]).arg(node);
    found.args(["--bootnode", &format!("/ip4/127.0.0.1/tcp/{port}")]);
    succeed(found);
}

/// Has the command line keep the account of a validator, from the phrase that `deploy/found` wrote.
pub(super) fn import(cli: &Path, network: &Path, name: &'static str, folder: &Path) -> Actor {
    let phrase = fs::File::open(network.join("phrases").join(name)).expect("its phrase");
    let mut import = Command::new(cli);
    import.stdin(phrase).arg("--keys-directory").arg(folder.join("keys"));
    import.arg("--password-file").arg(folder.join("password")).args(["account", "import", name]);
    succeed(import);
    Actor::new(name, name)
}

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)
}

fn read(file: &str) -> String {
    fs::read_to_string(deploy(file)).unwrap_or_else(|error| panic!("deploy/{file}: {error}"))
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// A service of the compose file: what its node is started with, and which folder stands for which.
#[derive(Default)]
struct Service {
    name: String,
    arguments: Vec<String>,
    mounts: Vec<(String, String)>,
}

fn services() -> Vec<Service> {
    let text = read("compose.yaml");
    let (_, text) = text.split_once("\nservices:\n").expect("services");
    let mut services: Vec<Service> = Vec::new();
    for line in text.lines() {
        let Some(key) = line.strip_prefix("    ") else {
            let name = line.trim().trim_end_matches(':').to_owned();
            services.push(Service { name, ..Service::default() });
            continue;
        };
        let service = services.last_mut().expect("it belongs to a service");
        if let Some(command) = key.strip_prefix("command: ") {
            service.arguments = words(command);
        } else if let Some(volumes) = key.strip_prefix("volumes: ") {
            let volumes: Vec<String> = serde_json::from_str(volumes).expect("a list in one line");
            let parts = volumes.iter().filter_map(|volume| {
                let mut parts = volume.split(':').map(str::to_owned);
                Some((parts.next()?, parts.next()?))
            });
            service.mounts = parts.collect();
        }
    }
    services
}

/// What the unit starts: the program and its arguments.
fn exec_start() -> Vec<String> {
    let unit = read("openledger-node.service").replace("\\\n", " ");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart="));
    words(line.expect("ExecStart"))
}

/// The list of words behind an instruction of the Dockerfile, the last one of its name.
fn instruction(name: &str) -> Vec<String> {
    let text = read("Dockerfile").replace("\\\n", " ");
    let line = text.lines().rev().find_map(|line| line.strip_prefix(name)).expect(name);
    let list = line.find('[').map(|start| &line[start..]).expect("a list");
    serde_json::from_str(list).expect("a list of words")
}

/// Starts a node with what a file of `deploy/` says, on ports of this machine.
fn start(
    name: &str,
    arguments: &[String],
    node: &Path,
    port: u16,
    rpc: &Rpc,
    log: &Path,
) -> Process {
    let mut command = Command::new(node);
    forget_environment(&mut command);
    command.args(arguments);
    command.args(["--listen-addr", &format!("/ip4/127.0.0.1/tcp/{port}")]);
    command.args(["--rpc-port", &rpc.port().to_string(), "--no-prometheus", "--no-mdns"]);
    fs::create_dir_all(log).expect("a folder for logs");
    let process = Process::start(name, command, log.join(format!("{name}.log")));
    process.unwrap_or_else(|error| panic!("{error}"))
}

/// Waits until a node has finalised the block of that number.
fn finalised(process: &mut Process, rpc: &Rpc, number: u64) {
    let reached = poll(PATIENCE, Duration::from_millis(500), || {
        process.ensure_running()?;
        Ok(rpc.finalised().ok().filter(|finalised| *finalised >= number))
    });
    let reached = reached.unwrap_or_else(|error| panic!("{error}"));
    assert!(reached.is_some(), "block {number} was not final in time: {:?}", process.last_lines(5));
}

/// Runs the image's check of health against the node at a port.
fn healthy(port: u16) -> bool {
    let check = instruction("HEALTHCHECK");
    let check: Vec<String> =
        check.iter().map(|word| word.replace("9944", &port.to_string())).collect();
    let done = Command::new(&check[0]).args(&check[1..]).output().expect("bash can be started");
    done.status.success()
}

#[test]
fn services_of_the_compose_file_and_the_unit_finalise_blocks() {
    let _turn = light();
    let folder = Folder::new();
    let binaries = binaries();
    let free = || free_port().unwrap_or_else(|error| panic!("{error}"));
    let (network, logs) = (folder.path().join("network"), folder.path().join("logs"));
    let port = free();
    found(&network, &binaries.node, port);

    // The image starts the program with what compose says, and without it tells how it is used.
    assert_eq!(instruction("ENTRYPOINT"), ["openledger-node"]);
    let mut usual = Command::new(&binaries.node);
    usual.args(instruction("CMD"));
    let said = String::from_utf8_lossy(&succeed(usual)).into_owned();
    assert!(said.contains("--base-path"), "{said}");

    let mut nodes = Vec::new();
    for (place, service) in services().into_iter().enumerate() {
        let here = |argument: &String| {
            let mount = service.mounts.iter().find(|(_, there)| there == argument);
            let file = mount.and_then(|(host, _)| host.strip_prefix("./network/"));
            file.map_or_else(|| argument.clone(), |file| network.join(file).display().to_string())
        };
        let arguments: Vec<String> = service.arguments.iter().map(here).collect();
        let rpc = Rpc::new(free());
        let port = if place == 0 { port } else { free() };
        let process = start(&service.name, &arguments, &binaries.node, port, &rpc, &logs);
        nodes.push((process, rpc, port));
    }
    assert_eq!(nodes.len(), 4, "services of deploy/compose.yaml");
    for (process, rpc, _) in &mut nodes {
        finalised(process, rpc, 2);
    }
    for (_, rpc, _) in &nodes {
        let healthy =
            poll(PATIENCE, Duration::from_millis(500), || Ok(healthy(rpc.port()).then_some(())));
        assert!(healthy.is_ok_and(|healthy| healthy.is_some()), "port {}", rpc.port());
    }
    assert!(!healthy(free()), "nobody listens there");

    // The unit goes on with a folder that one of them had.
    let (mut last, rpc, port) = nodes.pop().expect("four");
    last.stop_within(Duration::from_secs(60));
    let unit = exec_start();
    assert_eq!(unit[0], "/usr/local/bin/openledger-node");
    let arguments: Vec<String> = (unit[1..].iter())
        .map(|argument| match argument.as_str() {
            "/var/lib/openledger" => network.join("four").display().to_string(),
            "/etc/openledger/spec.json" => network.join("spec.json").display().to_string(),
            "%H" => "host".to_owned(),
            _ => argument.clone(),
        })
        .collect();
    let reached = nodes[0].1.finalised().expect("the node answers");
    let mut unit = start("unit", &arguments, &binaries.node, port, &rpc, &logs);
    finalised(&mut unit, &rpc, reached + 3);

    // Keys are made where nobody but the machine itself asks, and not where everybody may.
    let url = |rpc: &Rpc| format!("ws://127.0.0.1:{}", rpc.port());
    let cli = |rpc: &Rpc| {
        Cli::new(&binaries.cli, url(rpc), folder.path()).unwrap_or_else(|error| panic!("{error}"))
    };
    let (own, open) = (cli(&rpc), cli(&nodes[0].1));
    let four = import(&binaries.cli, &network, "four", folder.path());
    let refused = open.refused(&four, &["validator", "keys"]);
    let refused = refused.unwrap_or_else(|error| panic!("{error}"));
    assert!(refused.message.contains("unsafe"), "{}", refused.message);
    own.run(&four, &["validator", "keys"]).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn phrases_of_a_founded_network_lie_beside_its_folders_and_come_into_no_repository_or_image() {
    let folder = Folder::new();
    let network = folder.path().join("network");
    found(&network, &binaries().node, 30333);
    let listed = |folder: &Path| {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(listed(&network.join("one")), ["chains"]);
    assert_eq!(listed(&network.join("phrases")), ["four", "one", "three", "two"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let file = fs::metadata(network.join("phrases/one")).expect("a phrase");
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::read_to_string(network.join(".gitignore")).expect("it is there").trim(), "*");
    let ignored = read("Dockerfile.dockerignore");
    for name in ["deploy/network", "network", "**/phrases", "**/keystore", "**/secret_ed25519"] {
        assert!(ignored.lines().any(|line| line == name), "{name}");
    }
    let ignored = fs::read_to_string(deploy("../.gitignore")).expect(".gitignore");
    for name in ["/deploy/network/", "/network/", "phrases/", "keystore/", "secret_ed25519"] {
        assert!(ignored.lines().any(|line| line == name), "{name}");
    }
}
