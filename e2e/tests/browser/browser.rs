//! A real Chromium in a container of its own, driven through WebDriver.

use std::cell::RefCell;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use e2e::{eventually, url};
use serde_json::{Value, json};
use thirtyfour::TypingData;
use thirtyfour::prelude::*;
use tokio::runtime::Runtime;

const IMAGE: &str = "localhost/wasm-browser:trixie";

/// Long enough for a page that asks every five seconds, on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

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
        // The container is in this host's network, where the service under test listens on loopback as well.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let container = docker(&[
            "run",
            "--detach",
            "--network=host",
            // Chromium keeps its pictures there; Docker's 64 MB are too few.
            "--shm-size=512m",
            "--label=deploy-tool.test",
            IMAGE,
            &format!("--port={port}"),
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
            "--force-color-profile=srgb",
        ] {
            capabilities.add_arg(argument).unwrap();
        }
        let address = format!("http://127.0.0.1:{port}");
        browser.driver = Some(eventually("chromedriver starts a browser", DEADLINE, || {
            let driver = WebDriver::new(&address, capabilities.clone());
            browser.runtime.block_on(driver).ok()
        }));
        browser
    }

    /// Opens a page of the service under test.
    pub fn open(&self, path: &str) {
        self.wait_for(self.driver().goto(url(path)));
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
        self.as_soon_as_possible(&format!("click {css}"), async || {
            self.driver().find(By::Css(css)).await?.click().await
        });
    }

    /// Replaces what is in a field.
    #[track_caller]
    pub fn fill(&self, css: &str, text: &str) {
        self.as_soon_as_possible(&format!("fill {css}"), async || {
            let field = self.driver().find(By::Css(css)).await?;
            field.clear().await?;
            field.send_keys(text).await
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
        eventually(expression, DEADLINE, || {
            (self.value(expression) == json!(true)).then_some(())
        });
    }

    /// Waits until an element that can be seen has a text with this part in it.
    #[track_caller]
    pub fn await_text(&self, css: &str, part: &str) {
        let start = Instant::now();
        let mut text = self.text(css);
        while !text.contains(part) {
            assert!(start.elapsed() < DEADLINE, "{css} does not say `{part}` but `{text}`");
            std::thread::sleep(PAUSE);
            text = self.text(css);
        }
    }

    /// The text that can be seen of an element; empty when it is not there.
    pub fn text(&self, css: &str) -> String {
        let script = "[...document.querySelectorAll(SELECTOR)].slice(0, 1)
            .filter((one) => one.checkVisibility()).map((one) => one.innerText).join()";
        let text = self.value(&script.replace("SELECTOR", &format!("{css:?}")));
        text.as_str().unwrap().to_owned()
    }

    /// Keeps a picture of what can be seen, and returns where.
    pub fn screenshot(&self, name: &str) -> PathBuf {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{name}.png"));
        self.wait_for(self.driver().screenshot(&path));
        path
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

    /// Does something that fails while an element is not there yet, is moving or is replaced just now.
    #[track_caller]
    fn as_soon_as_possible(&self, what: &str, mut action: impl AsyncFnMut() -> WebDriverResult<()>) {
        let start = Instant::now();
        while let Err(error) = self.runtime.block_on(action()) {
            assert!(start.elapsed() < DEADLINE, "{what}: {error}");
            std::thread::sleep(PAUSE);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() && self.driver.is_some() {
            let name = std::thread::current().name().unwrap_or("test").replace("::", "-");
            let path = self.screenshot(&format!("failed-{name}"));
            eprintln!(
                "the page when the test failed: {}\n{}",
                path.display(),
                self.text("body")
            );
        }
        if let Some(driver) = self.driver.take() {
            // The container is removed in any case.
            let _ = self.runtime.block_on(driver.quit());
        }
        docker(&["rm", "--force", "--volumes", &self.container]);
    }
}

fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker")
        .args(arguments)
        .output()
        .expect("docker is there");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "docker {}: {said}", arguments.join(" "));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
