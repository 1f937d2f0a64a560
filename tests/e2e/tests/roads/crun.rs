//! docs/roads/crun.md, on a machine of its own with both engines.

use std::path::Path;
use std::process::Command;

use e2e::registry::Registry;
use e2e::{
    CommandOutput, Machine, Running, built, deploy_tool_command, deploy_tool_exactly, eventually, node_image, pinned,
    unique,
};
use service_tests::database::Database;

use crate::page;

/// Who runs containers without root there.
const USER: &str = "nobody";

/// A machine with crun and runc, whose loopback the database is at, and a folder that both this host and it have.
struct Bench {
    machine: Machine,
    folder: tempfile::TempDir,
    _database: Database,
}

impl Bench {
    fn start() -> Self {
        let database = Database::start("crun").expect("MariaDB");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        let options = [
            database.beside(),
            format!("--volume={path}:{path}"),
            "--security-opt=label=disable".to_owned(),
        ];
        let machine = Machine::start_with(&node_image("wasm-node-both"), &options.each_ref().map(String::as_str));
        Self {
            machine,
            folder,
            _database: database,
        }
    }

    /// With this run's folder in place of the page's.
    fn adapted(&self, text: &str) -> String {
        text.replace("/tmp/", &format!("{}/", self.folder.path().display()))
    }

    /// What a command prints there.
    fn output(&self, line: &str) -> CommandOutput {
        self.machine.try_run(&self.adapted(line))
    }

    /// Starts a command there that goes on.
    fn running(&self, user: &str, line: &str) -> Running {
        let mut command = Command::new("docker");
        command.args(["exec", "--user", user]);
        if user != "root" {
            command.args(["--env", "XDG_RUNTIME_DIR=/tmp"]);
        }
        command.args([&self.machine.0, "sh", "-c", &self.adapted(line)]);
        Running::start(command)
    }

    /// Waits until the service there answers a request to this path.
    fn answers(&self, path: &str) {
        eventually("the service answers", || {
            let output = self.output(&format!(
                "curl --silent --fail --output /dev/null http://localhost:8080{path}"
            ));
            (output.code == 0).then_some(())
        });
    }
}

fn command<'a>(commands: &'a [page::Command], begin: &str) -> &'a page::Command {
    let found = commands.iter().find(|command| command.line.starts_with(begin));
    found.unwrap_or_else(|| panic!("the page has no `{begin}`"))
}

/// The part of a line after its first word.
fn rest(line: &str) -> &str {
    line.split_once(' ').unwrap().1
}

fn tool(line: &str) -> CommandOutput {
    let output = Command::new("sh")
        .args(["-c", &format!("\"$0\" {}", rest(line))])
        .arg(deploy_tool_command(&[]).get_program())
        .current_dir(e2e::repository())
        .env("NO_COLOR", "1")
        .output();
    CommandOutput::from(output.unwrap())
}

fn lines(text: &str) -> Vec<String> {
    text.lines().map(str::to_owned).collect()
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn every_command_of_the_page_does_what_it_says() {
    let bench = Bench::start();
    let commands = page::commands("crun.md");
    let engines = [
        "crun".to_owned(),
        bench.machine.run("ls /opt/wasm-engine/*/bin/crun").trim().to_owned(),
    ];

    let build = command(&commands, "deploy-tool build");
    tool(&bench.adapted(&build.line)).success();
    let bundle = command(&commands, "deploy-tool bundle /tmp/orders.tar /tmp/orders ");
    let output = tool(&bench.adapted(&bundle.line)).success();
    let wanted: Vec<String> = bundle.printed.iter().map(|line| bench.adapted(line)).collect();
    assert!(page::prints(&wanted, &lines(&output.stdout)), "{}", output.stdout);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(bench.folder.path().join("orders/config.json"))
            .unwrap()
            .permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);

    for engine in &engines {
        let with = |line: &str| line.trim_start_matches("sudo ").replacen("crun", engine, 1);
        let run = bench.running("root", &with(&command(&commands, "sudo crun run").line));
        run.line("the service listens", |line| line.contains("(wasm, aot)"));
        bench.answers("/readyz");
        for command in commands
            .iter()
            .filter(|one| one.line.starts_with("curl ") || one.line.starts_with("sudo crun list"))
        {
            let line = command.line.replacen("curl ", "curl --silent --show-error ", 1);
            let output = bench.output(&with(&line)).success();
            let wanted: Vec<String> = command.printed.iter().map(|line| bench.adapted(line)).collect();
            assert!(
                page::prints(&wanted, &lines(&output.stdout)),
                "{engine}: {line}: {}",
                output.stdout
            );
        }
        bench
            .output(&with(&command(&commands, "sudo crun kill").line))
            .success();
        assert_eq!(run.ended().code, 137, "{engine}");
    }

    rootless(&bench, &commands);
    linux(&bench, &commands);
}

/// The tool runs there as well: the bundle names its user.
fn rootless(bench: &Bench, commands: &[page::Command]) {
    bench.machine.copy(
        Path::new(deploy_tool_command(&[]).get_program()),
        "/usr/local/bin/deploy-tool",
    );
    bench
        .machine
        .run(&format!("chmod 1777 {}", bench.folder.path().display()));
    let bundle = command(commands, "deploy-tool bundle /tmp/orders.tar /tmp/rootless");
    let made = bench
        .running(USER, &format!("DEPLOY_TOOL_CACHE=/tmp/cache {}", bundle.line))
        .ended();
    assert_eq!(made.code, 0, "{}", made.stderr);
    let run = bench.running(USER, &command(commands, "crun run").line);
    run.line("the service listens", |line| line.contains("(wasm, aot)"));
    bench.answers("/readyz");
    let killed = bench.running(USER, &command(commands, "crun kill").line).ended();
    assert_eq!(killed.code, 0, "{}", killed.stderr);
    assert_eq!(run.ended().code, 137);
}

/// Debian's image: Docker Hub's, or what was made in its place.
fn debian() -> String {
    let made = "localhost/debian:trixie-slim";
    let found = Command::new("docker").args(["image", "inspect", made]).output();
    if found.unwrap().status.success() {
        made.to_owned()
    } else {
        pinned("hub_debian")
    }
}

fn linux(bench: &Bench, commands: &[page::Command]) {
    let registry = Registry::start_plain(&[]);
    let image = format!("{}/library/debian:13", registry.address);
    for arguments in [
        ["tag", &debian(), &image].as_slice(),
        &["push", &image],
        &["rmi", &image],
    ] {
        let output = Command::new("docker").args(arguments).output();
        CommandOutput::from(output.unwrap()).success();
    }
    let bundle = command(commands, "deploy-tool bundle docker.io/");
    let line = bench
        .adapted(&bundle.line)
        .replace("docker.io/library/debian:13", &image);
    let output = tool(&line).success();
    assert!(output.stdout.contains("a Linux program"), "{}", output.stdout);
    let run = command(commands, "sudo runc run");
    for runtime in ["runc", "crun"] {
        let output = bench.output(&rest(&run.line).replacen("runc", runtime, 1)).success();
        assert_eq!(lines(&output.stdout), run.printed, "{runtime}");
    }
}

/// Taking the engine out of its image.
#[test]
#[ignore = "needs Docker and the images of the tests"]
fn the_engine_comes_out_of_its_image() {
    let folder = tempfile::tempdir().unwrap();
    let name = unique("wasm-engine");
    for command in page::commands("crun.md")
        .iter()
        .filter(|command| command.line.starts_with("docker "))
    {
        let line = command.line.replace("--name wasm-engine", &format!("--name {name}"));
        let line = line
            .replace(" wasm-engine:", &format!(" {name}:"))
            .replace(" rm wasm-engine", &format!(" rm {name}"));
        let line = line.replace(" /opt", &format!(" {}", folder.path().display()));
        CommandOutput::from(Command::new("sh").args(["-c", &line]).output().unwrap()).success();
    }
    let engines = folder.path().join("wasm-engine");
    let engine = std::fs::read_dir(engines).unwrap().next().unwrap().unwrap();
    assert!(engine.path().join("bin/crun").is_file());
}

#[test]
#[ignore = "needs Docker and the images of the tests"]
fn what_cannot_work_is_told_in_one_sentence_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let archive = built(deploy_tool_command(&["build", "--output", "json"]))["layout"]
        .as_str()
        .unwrap()
        .to_owned();
    let (bundle, occupied) = (path("bundle"), path("occupied"));
    std::fs::create_dir(&occupied).unwrap();
    std::fs::write(format!("{occupied}/file"), "").unwrap();
    std::fs::write(path("app.wasm"), b"\0asm\x01\0\0\0").unwrap();
    for (arguments, sentences) in [
        (
            vec!["/none.tar", &bundle],
            vec!["`/none.tar` cannot be made into a bundle", "there is no such file"],
        ),
        (
            vec![&path("app.wasm"), &bundle],
            vec!["it is a module alone", "deploy-tool build --module"],
        ),
        (
            vec![&archive, &occupied],
            vec!["is there already, and not an empty folder"],
        ),
        (
            vec![&archive, &bundle, "--platform", "linux/s390x"],
            vec!["no image for the platform `linux/s390x`", "linux/amd64"],
        ),
        (
            vec![&archive, &bundle, "--env", "NOT_SET_ANYWHERE"],
            vec!["NOT_SET_ANYWHERE is not set here"],
        ),
    ] {
        let output = deploy_tool_exactly(&[&["bundle"], arguments.as_slice()].concat());
        output.failure(1, &sentences);
        let left: Vec<_> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(left.len(), 2, "{left:?}");
    }
}
