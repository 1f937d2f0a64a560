//! A real Chromium in a container of its own, driven through WebDriver, and axe-core in it.

mod axe;

use std::cell::RefCell;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use thirtyfour::TypingData;
use thirtyfour::prelude::*;
use tokio::runtime::Runtime;

pub use axe::Axe;

use crate::{container_label, eventually, time_limit, url};

/// `scripts/images browser` makes it.
const IMAGE: &str = "localhost/wasm-browser:trixie";

/// A name that leads this browser to this host.
pub const REBOUND: &str = "rebound.example";

/// Keeps the processor free between looks.
const PAUSE: Duration = Duration::from_millis(100);

/// A running browser; ends with its value.
pub struct Browser {
    runtime: Runtime,
    driver: Option<WebDriver>,
    container: String,
    /// What of the screen and of the person's wishes is emulated.
    media: RefCell<Vec<(&'static str, &'static str)>>,
}

impl Browser {
    /// Starts one with a desktop's window.
    pub fn start() -> Self {
        // Of an earlier run.
        let _ = std::fs::remove_file(picture_of_failure());
        // The container is in this host's network, where the service under test listens on loopback as well. Its driver
        // takes a port that is free, and says which.
        let container = docker(&[
            "run",
            "--detach",
            "--network=host",
            // Chromium keeps its pictures there; Docker's 64 MB are too few.
            "--shm-size=512m",
            &container_label(),
            IMAGE,
            "--port=0",
        ]);
        let mut browser = Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            driver: None,
            container,
            media: RefCell::default(),
        };
        let mut capabilities = DesiredCapabilities::chrome();
        for argument in [
            "--headless",
            // Chromium's own sandbox needs namespaces that Docker does not let it make; the container is the sandbox.
            "--no-sandbox",
            "--window-size=1280,900",
            "--hide-scrollbars",
            &format!("--host-resolver-rules=MAP {REBOUND} 127.0.0.1"),
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        let port = eventually("the driver says its port", || {
            let output = run_docker(&["logs", &browser.container]).unwrap();
            let (_, rest) = output.split_once("started successfully on port ")?;
            let end = rest.find(|character: char| !character.is_ascii_digit())?;
            Some(rest[..end].to_owned())
        });
        let address = format!("http://127.0.0.1:{port}");
        browser.driver = Some(until_done("start a browser", || {
            let driver = WebDriver::new(&address, capabilities.clone());
            browser.runtime.block_on(driver)
        }));
        browser.wait_for(browser.driver().set_script_timeout(time_limit()));
        browser.wait_for(browser.driver().set_page_load_timeout(time_limit()));
        browser
    }

    /// Opens a page of the service under test.
    pub fn open(&self, path: &str) {
        self.wait_for(self.driver().goto(url(path)));
    }

    /// Opens a page of anybody.
    pub fn visit(&self, url: &str) {
        self.wait_for(self.driver().goto(url));
    }

    /// Opens a page that no server has.
    pub fn open_document(&self, page: &[u8]) {
        let page = base64::engine::general_purpose::STANDARD.encode(page);
        self.wait_for(
            self.driver()
                .goto(format!("data:text/html;charset=utf-8;base64,{page}")),
        );
    }

    /// Loads the page again.
    pub fn reload(&self) {
        self.wait_for(self.driver().refresh());
    }

    /// Goes back, as the browser's own button does.
    pub fn back(&self) {
        self.wait_for(self.driver().back());
    }

    /// Makes the screen one of this size; `is_phone` also one that is touched.
    pub fn resize(&self, width: u32, height: u32, is_phone: bool) {
        self.command(
            "Emulation.setDeviceMetricsOverride",
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone }),
        );
    }

    /// Makes the person wish something, such as `prefers-color-scheme` to be `dark`.
    pub fn prefer(&self, feature: &'static str, value: &'static str) {
        let mut media = self.media.borrow_mut();
        media.retain(|(name, _)| *name != feature);
        media.push((feature, value));
        let features: Vec<_> = media
            .iter()
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect();
        self.command("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    /// Clicks an element as soon as that can be done.
    #[track_caller]
    pub fn click(&self, css: &str) {
        until_done(&format!("click {css}"), || {
            let click = async { self.driver().find(By::Css(css)).await?.click().await };
            self.runtime.block_on(click)
        });
    }

    /// Replaces what is in a field.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        until_done(&format!("fill {css}"), || {
            self.runtime.block_on(async {
                let field = self.driver().find(By::Css(css)).await?;
                field.clear().await?;
                field.send_keys(text).await
            })
        });
    }

    /// Presses keys, wherever the focus is.
    pub fn press(&self, keys: impl Into<TypingData>) {
        self.wait_for(self.driver().action_chain().send_keys(keys).perform());
    }

    /// The value of a JavaScript expression in the page; a promise's value when it has one.
    pub fn value(&self, expression: &str) -> Value {
        let script = format!(
            "const done = arguments[0]; Promise.resolve({expression}).then(done, (error) => done(`${{error}}`))"
        );
        let answer = self.wait_for(self.driver().execute_async(script, Vec::new()));
        answer.json().clone()
    }

    /// Runs JavaScript in the page.
    pub fn run(&self, script: &str) {
        self.wait_for(self.driver().execute(script, Vec::new()));
    }

    /// Waits until an expression in the page is true.
    #[track_caller]
    pub fn await_that(&self, expression: &str) {
        eventually(expression, || (self.value(expression) == json!(true)).then_some(()));
    }

    /// Waits until an element that can be seen has a text with this part in it.
    #[track_caller]
    pub fn await_text(&self, css: &str, part: &str) {
        let start = Instant::now();
        let mut text = self.text(css);
        while !text.contains(part) {
            assert!(
                start.elapsed() < time_limit(),
                "{css} does not say `{part}` but `{text}`"
            );
            std::thread::sleep(PAUSE);
            text = self.text(css);
        }
    }

    /// The text that can be seen of an element; empty when it is not there.
    pub fn text(&self, css: &str) -> String {
        let script = "[...document.querySelectorAll(SELECTOR)].slice(0, 1)
            .filter((element) => element.checkVisibility()).map((element) => element.innerText).join()";
        let text = self.value(&script.replace("SELECTOR", &format!("{css:?}")));
        text.as_str().unwrap().to_owned()
    }

    /// Keeps a picture of what can be seen.
    pub fn screenshot(&self, name: &str) {
        let path = screenshots().join(format!("{name}.png"));
        self.wait_for(self.driver().screenshot(&path));
    }

    /// The source of axe-core, which is in the browser's image.
    pub fn axe_core(&self) -> String {
        docker(&["exec", &self.container, "cat", "/usr/share/axe-core/axe.min.js"])
    }

    fn command(&self, name: &str, parameters: Value) {
        self.wait_for(self.driver().cdp().send_raw(name, parameters));
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("it is there until the value is dropped")
    }

    #[track_caller]
    fn wait_for<T>(&self, command: impl Future<Output = WebDriverResult<T>>) -> T {
        self.runtime.block_on(command).unwrap()
    }
}

/// Does something that fails while the browser starts, or an element is not there yet, is moving or is replaced just now.
#[track_caller]
fn until_done<T>(what: &str, mut action: impl FnMut() -> WebDriverResult<T>) -> T {
    let start = Instant::now();
    loop {
        match action() {
            Ok(value) => return value,
            Err(error) => assert!(start.elapsed() < time_limit(), "cannot {what}: {error}"),
        }
        std::thread::sleep(PAUSE);
    }
}

/// A test that fails leaves a picture; nothing in here may fail on top of that.
impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            let ended = self.runtime.block_on(async {
                if std::thread::panicking() {
                    driver.screenshot(&picture_of_failure()).await?;
                    let text = driver.find(By::Tag("body")).await?.text().await?;
                    eprintln!(
                        "the page when the test failed: {}\n{text}",
                        picture_of_failure().display()
                    );
                }
                driver.quit().await
            });
            if let Err(error) = ended {
                eprintln!("the browser did not end as it should: {error}");
            }
        }
        if let Err(error) = run_docker(&["rm", "--force", "--volumes", &self.container]) {
            eprintln!("{error}");
        }
    }
}

/// `target/tmp/screenshots`: the test's program is two folders below `target/release`.
fn screenshots() -> PathBuf {
    let program = std::env::current_exe().expect("a test is a program");
    let target = program
        .ancestors()
        .nth(3)
        .expect("Cargo keeps it in target/release/deps");
    let folder = target.join("tmp/screenshots");
    std::fs::create_dir_all(&folder).expect("the folder of the build is writable");
    folder
}

fn picture_of_failure() -> PathBuf {
    let test = std::thread::current().name().unwrap_or("test").replace("::", "-");
    screenshots().join(format!("failed-{test}.png"))
}

#[track_caller]
fn docker(arguments: &[&str]) -> String {
    run_docker(arguments).unwrap_or_else(|error| panic!("{error}"))
}

fn run_docker(arguments: &[&str]) -> Result<String, String> {
    let describe = |error: String| format!("docker {}: {error}", arguments.join(" "));
    let output = Command::new("docker").args(arguments).output();
    let output = output.map_err(|error| describe(error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(describe(String::from_utf8_lossy(&output.stderr).into_owned()))
    }
}
