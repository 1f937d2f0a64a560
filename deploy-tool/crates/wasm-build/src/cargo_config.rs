//! Pure: the compiler flags of a project's `.cargo/config.toml`. The builder takes no other of its settings: they are of the
//! host that they were written for (linkers, wrappers, mirrors).
//! <https://doc.rust-lang.org/cargo/reference/config.html#buildrustflags>

use toml_edit::{Document, Item, TomlError};

use crate::target_cfg;

/// Where it is, from the workspace's folder.
pub const PATH: &str = ".cargo/config.toml";

/// The flags that a guest is compiled with: those of its target, else of `[build]` those that sources can see, `--cfg`. Others
/// of `[build]`, such as `-C target-cpu=native`, are of the host.
///
/// # Errors
/// When the text is no TOML.
pub fn guest_flags(config: &str) -> Result<Vec<String>, TomlError> {
    let config = Document::parse(config)?;
    let table = |name: &str| config.get(name).and_then(Item::as_table_like);
    let of_target: Vec<String> = table("target")
        .into_iter()
        .flat_map(|targets| targets.iter())
        .filter(|(platform, _)| target_cfg::has_platform(platform))
        .flat_map(|(_, settings)| flags(settings.get("rustflags")))
        .collect();
    if !of_target.is_empty() {
        return Ok(of_target);
    }
    Ok(conditions(&flags(
        table("build").and_then(|build| build.get("rustflags")),
    )))
}

/// A list, or words in one string.
fn flags(item: Option<&Item>) -> Vec<String> {
    let Some(item) = item else { return Vec::new() };
    match item.as_str() {
        Some(text) => text.split_whitespace().map(str::to_owned).collect(),
        None => {
            let values = item.as_array().into_iter().flatten();
            values.filter_map(|value| value.as_str()).map(str::to_owned).collect()
        }
    }
}

/// Those of the flags that are `--cfg` or `--check-cfg`, with their values.
fn conditions(flags: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    let mut flags = flags.iter();
    while let Some(flag) = flags.next() {
        match flag.as_str() {
            "--cfg" | "--check-cfg" => found.extend([flag.clone()].into_iter().chain(flags.next().cloned())),
            other if other.starts_with("--cfg=") || other.starts_with("--check-cfg=") => found.push(flag.clone()),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_the_target_come_before_conditions_of_the_build() {
        for (config, expected) in [
            ("", &[][..]),
            (
                "[build]\ntarget = \"wasm32-wasip1\"\nrustflags = [\"--cfg\", \"wasmedge\", \"--cfg\", \"tokio_unstable\"]\n",
                &["--cfg", "wasmedge", "--cfg", "tokio_unstable"],
            ),
            (
                "[build]\nrustflags = \"-C target-cpu=native --cfg=wasmedge -C link-arg=-fuse-ld=mold\"\n",
                &["--cfg=wasmedge"],
            ),
            (
                "build.rustflags = [\"--cfg\", \"host\"]\n[target.wasm32-wasip1]\nrustflags = [\"-C\", \"link-arg=-zstack-size=65536\"]\n\
                 [target.x86_64-unknown-linux-gnu]\nrustflags = [\"-Ctarget-cpu=native\"]\n",
                &["-C", "link-arg=-zstack-size=65536"],
            ),
            (
                "[target.'cfg(target_os = \"wasi\")']\nrustflags = \"--cfg wasmedge\"\n[target.'cfg(unix)']\nrustflags = \"--cfg u\"\n",
                &["--cfg", "wasmedge"],
            ),
            ("[build]\nrustflags = 7\n[target]\n", &[]),
        ] {
            assert_eq!(guest_flags(config).unwrap(), expected, "{config}");
        }
        assert!(guest_flags("[build").is_err());
    }
}
