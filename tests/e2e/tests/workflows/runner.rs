//! A hosted runner: a container with its tools and its user, and a checkout with a bare repository as `origin`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::{CommandOutput, repository};

use crate::workflow::Variables;

/// Made by `scripts/images tests`.
const IMAGE: &str = "localhost/wasm-runner:trixie";
const SOCKET: &str = "/var/run/docker.sock";
/// By which a step speaks to the steps after it, and to this test.
const FILES: [&str; 4] = ["GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"];
/// What stands in for programs that speak to GitHub writes down its calls here.
const CALLS: &str = "RECORDED";

/// One for each workflow; it ends with its value.
pub struct Runner {
    container: String,
    /// At the same path inside and outside, for what the host's engine mounts. It stays for the next run, as a cache.
    home: PathBuf,
    user: String,
}

impl Runner {
    /// Starts one, with the project as it is in this checkout, committed or not, and nothing else in it.
    /// `None` where this host has no Go for it to have.
    pub fn start(workflow: &str) -> Option<Self> {
        let go = Go::of_this_host()?;
        let toolchain = toolchain()?;
        let cache = command("bash", &["-c", ". scripts/step.sh; echo \"$cache\""]).stdout;
        let home = Path::new(cache.trim()).join("runner");
        fs::create_dir_all(&home).unwrap();
        let id = |option: &str| command("id", &[option]).stdout.trim().to_owned();
        // Whoever is root here is not in there.
        let user = match id("-u").as_str() {
            "0" => "1001:1001".to_owned(),
            user => format!("{user}:{}", id("-g")),
        };
        let same = |path: &str| format!("--volume={path}:{path}");
        let read_only = |path: &str| format!("--volume={path}:{path}:ro");
        let mut arguments = vec![
            "run".to_owned(),
            "--detach".into(),
            "--rm".into(),
            "--init".into(),
            "--network=host".into(),
            // On a runner the processes of containers are seen, whose processor time is measured.
            "--pid=host".into(),
            format!("--label=deploy-tool.test={}", std::process::id()),
            "--security-opt=label=disable".into(),
            same(home.to_str().unwrap()),
            same(SOCKET),
            read_only(&toolchain),
            read_only(&go.root),
        ];
        // The authorities that this host trusts: behind some firewalls registries show another.
        if let Some(authorities) = std::env::var_os("SSL_CERT_FILE") {
            let authorities = authorities.to_str().unwrap();
            let inside = "/etc/ssl/certs/ca-certificates.crt";
            arguments.push(format!("--volume={authorities}:{inside}:ro"));
            // Cargo brings a TLS of its own.
            arguments.push(format!("--env=CARGO_HTTP_CAINFO={inside}"));
        }
        // Docker gives it to no container by itself, and `scripts/images` would make nodes for a host without it.
        if detected("host_lacks_sys_resource").code != 0 {
            arguments.push("--cap-add=SYS_RESOURCE".into());
        }
        let group = command("stat", &["--dereference", "--format=%g", SOCKET]).stdout;
        // It ends by itself where this test is killed.
        arguments.extend([IMAGE, "sleep", "2h"].map(str::to_owned));
        let container = command("docker", &arguments.iter().map(String::as_str).collect::<Vec<_>>()).stdout;
        let runner = Self {
            container: container.trim().to_owned(),
            home,
            user,
        };
        let (uid, gid) = runner.user.split_once(':').unwrap();
        let home = runner.home.display();
        runner.as_root(&format!(
            r#"set -eu
            getent group {gid} >/dev/null || groupadd --gid {gid} runner
            getent group {group} >/dev/null || groupadd --gid {group} docker
            useradd --uid {uid} --gid {gid} --groups "$(getent group {group} | cut -d: -f1)" --home-dir {home} --shell /bin/bash runner
            echo 'runner ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/runner
            mkdir -p /usr/share/dotnet && echo ballast >/usr/share/dotnet/file
            chown {uid}:{gid} {home}
            # Mounted below the home of this host's root, which in there is closed as well.
            for path in {home} {toolchain} {go}; do
              while [ "$path" != / ]; do path=$(dirname "$path"); chmod o+x "$path"; done
            done
            # The toolchain and the go command are where rustup and a runner have them.
            printf 'PATH=%s/bin:/usr/local/bin:/usr/bin:/bin\nGOROOT_{pin}_X64=%s\n' {toolchain} {go} >/etc/environment"#,
            group = group.trim(),
            pin = go.version,
            go = go.root,
        ));
        runner.check_out(workflow);
        Some(runner)
    }

    /// The checkout of a workflow: what git would take of the project, as one commit, in a folder that keeps `target`.
    fn check_out(&self, workflow: &str) {
        self.as_user("rm -rf ~/upload && mkdir ~/upload", &Variables::new())
            .success();
        let archive = r#"
            set -euo pipefail
            index=$(mktemp -u)
            export GIT_INDEX_FILE=$index
            git read-tree HEAD
            git add --all
            git archive "$(git write-tree)" | docker exec --interactive --user runner "$1" tar --extract --directory "$2"
            rm "$index""#;
        let upload = self.home.join("upload");
        command(
            "bash",
            &["-c", archive, "bash", &self.container, upload.to_str().unwrap()],
        );
        let script = format!(
            r#"set -eu
            cd ~
            : >{CALLS}
            rm -rf origin.git && git init --quiet --bare origin.git
            cd upload
            git init --quiet
            git add --all
            git -c user.name=test -c user.email=test@localhost commit --quiet --message 'as it is here'
            git push --quiet ~/origin.git HEAD:refs/heads/main
            mkdir -p ~/work/{workflow} && cd ~/work/{workflow}
            [ -d .git ] || git init --quiet
            git remote remove origin 2>/dev/null || true
            git remote add origin ~/origin.git
            git fetch --quiet origin main
            git checkout --quiet --force --detach FETCH_HEAD
            git clean --quiet -d --force
            rm -rf target/night target/archives target/images target/tool-images target/references"#
        );
        self.as_user(&script, &Variables::new()).success();
    }

    /// Runs commands as GitHub does, in the checkout. `environment` comes on top of a runner's own.
    pub fn step(&self, workflow: &str, commands: &str, environment: &Variables) -> CommandOutput {
        let folder = self.home.join("work").join(workflow);
        let mut all = Variables::from(
            [
                ("CI", "true"),
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_REF_NAME", crate::table::TAG),
                ("GITHUB_REPOSITORY", "you/services"),
                ("GITHUB_SERVER_URL", "https://github.com"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        for name in FILES.into_iter().chain([CALLS]) {
            all.insert(name.to_owned(), self.file(name).display().to_string());
        }
        all.extend(environment.clone());
        all.insert("COMMANDS".into(), commands.to_owned());
        // What earlier steps have said: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
        let script = format!(
            r#"cd '{}'
            set -a; . "$GITHUB_ENV"; set +a
            while read -r folder; do PATH=$folder:$PATH; done <"$GITHUB_PATH"
            printf '%s\n' "$COMMANDS" >~/commands
            exec bash -e ~/commands </dev/null"#,
            folder.display()
        );
        self.as_user(&script, &all)
    }

    /// Forgets what earlier steps have said: a job begins.
    pub fn begin_job(&self) {
        for name in FILES {
            self.as_user(&format!(": >'{}'", self.file(name).display()), &Variables::new())
                .success();
        }
    }

    /// What programs that only write down their calls were asked.
    pub fn recorded(&self) -> String {
        fs::read_to_string(self.file(CALLS)).unwrap()
    }

    /// A file in the checkout of a workflow.
    pub fn path(&self, workflow: &str, path: &str) -> PathBuf {
        self.home.join("work").join(workflow).join(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    fn as_user(&self, script: &str, environment: &Variables) -> CommandOutput {
        let mut command = Command::new("docker");
        command.args(["exec", "--user", "runner"]);
        command.arg(format!("--env=HOME={}", self.home.display()));
        for (name, value) in environment {
            command.arg(format!("--env={name}={value}"));
        }
        // A login would read this.
        let with = format!("set -a; . /etc/environment; set +a\n{script}");
        CommandOutput::from(command.args([&self.container, "bash", "-c", &with]).output().unwrap())
    }

    /// The same as root, for what a runner's image brings.
    pub fn as_root(&self, script: &str) -> CommandOutput {
        command("docker", &["exec", &self.container, "bash", "-c", script])
    }
}

/// What scripts/restricted-host/detect.sh says of this host.
pub fn detected(question: &str) -> CommandOutput {
    let script = format!(". scripts/restricted-host/detect.sh; {question}");
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(repository())
        .output();
    CommandOutput::from(output.unwrap())
}

/// The folder of this host's Rust toolchain, which the container is lent.
fn toolchain() -> Option<String> {
    let folder = command("rustc", &["--print", "sysroot"]).stdout.trim().to_owned();
    if folder != "/usr" {
        return Some(folder);
    }
    let why = "a runner has a Rust toolchain of rustup's, and this host's is a package of its distribution";
    assert!(std::env::var("REQUIRE_CLUSTER").as_deref() != Ok("1"), "{why}");
    eprintln!("skipped: {why}");
    None
}

/// The newer Go that a runner has beside the one in PATH.
struct Go {
    root: String,
    /// As runners write it: `1_26`.
    version: String,
}

impl Go {
    fn of_this_host() -> Option<Self> {
        let pin = command("bash", &["-c", ". oci/versions; echo \"${go_version/./_}\""]).stdout;
        let version = pin.trim().to_owned();
        let asked = Command::new("go").args(["env", "GOVERSION", "GOROOT"]).output();
        let output = asked
            .map(|output| CommandOutput::from(output).success().stdout)
            .unwrap_or_default();
        let mut lines = output.lines();
        let found = lines.next().unwrap_or("none").replace('.', "_");
        if found.starts_with(&format!("go{version}_")) {
            let root = lines.next()?.to_owned();
            return Some(Self { root, version });
        }
        let why = format!("a runner has Go {version} of this host, which has {found}");
        assert!(std::env::var("REQUIRE_CLUSTER").as_deref() != Ok("1"), "{why}");
        eprintln!("skipped: {why}");
        None
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "--force", &self.container]).output();
    }
}

fn command(program: &str, arguments: &[&str]) -> CommandOutput {
    let output = Command::new(program).args(arguments).current_dir(repository()).output();
    CommandOutput::from(output.unwrap_or_else(|error| panic!("{program}: {error}"))).success()
}
