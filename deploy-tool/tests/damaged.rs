//! Whatever registries, archives and configurations hold, it is read or refused: nothing panics, nothing damaged is taken
//! for whole. Real documents are damaged at random, the same ones in every run. (`tests/fuzz/` is guided by what is reached, but
//! would compile this whole crate, with kube, a second time for its instruments.)

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::Path;

use deploy_tool::cli::RegistryArguments;
use deploy_tool::commands::inspect;
use deploy_tool::report::image_text as text;
use diagnostics::Result;
use oci_artifacts::image::specification::{CONFIGURATION, INDEX, LAYER, MANIFEST};
use oci_artifacts::image::{self, Blob, Contents, Definition, Layout, store};
use oci_artifacts::inspect::Report;
use oci_artifacts::provenance::Provenance;
use oci_artifacts::registry::challenge::{self, Challenge};
use oci_artifacts::registry::docker_config::{CredentialSource, DockerConfig};
use oci_artifacts::registry::{Reference, Repository, referrers, retry};
use oci_artifacts::signature::{bundle, candidates, envelopes};
use serde_json::{Value, json};

const DIGEST: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// What breaks programs that read texts and numbers.
const TOKENS: [&str; 16] = [
    "null",
    "[]",
    "{}",
    "\"\"",
    "-1",
    "18446744073709551616",
    "1e999",
    "../../etc/passwd",
    "sha256:",
    "\0",
    "é",
    "@",
    ":",
    "/",
    "#",
    ",",
];

/// A xorshift generator, <https://www.jstatsoft.org/article/view/v008i14>.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as usize % limit.max(1)
    }

    /// The same with one to three things wrong.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.below(3) {
            let place = self.below(bytes.len());
            let end = (place + self.below(40)).min(bytes.len());
            match self.below(5) {
                0 if !bytes.is_empty() => bytes[place] ^= 1 << self.below(8),
                1 => bytes.truncate(place),
                2 => drop(bytes.drain(place..end)),
                3 => {
                    let twice = bytes[place..end].to_vec();
                    bytes.splice(place..place, twice);
                }
                _ => {
                    let token = TOKENS[self.below(TOKENS.len())];
                    bytes.splice(place..end, token.bytes());
                }
            }
        }
        bytes
    }
}

fn report(path: &Path) -> Result<Report> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(inspect::report(
        path.to_str().unwrap(),
        &RegistryArguments::default(),
        |_| {},
    ))
}

fn built() -> Layout {
    let definition = Definition::parse("app", include_str!("../../oci/app/image.yaml")).unwrap();
    let contents = Contents {
        definition: &definition,
        module: b"\0asm\x01\0\0\0",
        compiled: None,
        files: vec![b"http 80/tcp\n".to_vec()],
        annotations: [("a".to_owned(), "b".to_owned())].into(),
        index_annotations: [].into(),
    };
    let variants = image::variants(&contents).unwrap().into_iter();
    let packed = variants.map(|variant| {
        let packed = image::compress(&variant.tar).unwrap();
        (variant, packed)
    });
    image::pack(&contents, packed.collect()).unwrap()
}

/// An archive that is read all the same is that image: only its name is outside of the digest.
#[test]
fn a_damaged_archive_is_never_taken_for_the_image() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image.tar");
    store::write_archive(&path, &built()).unwrap();
    let good = std::fs::read(&path).unwrap();
    let expected = report(&path).unwrap();
    let mut random = Random(1);
    let mut refused = 0;
    for _ in 0..400 {
        std::fs::write(&path, random.damage(&good)).unwrap();
        match report(&path) {
            Ok(found) => assert_eq!(
                (found.digest, found.platforms),
                (expected.digest.clone(), expected.platforms.clone())
            ),
            Err(failure) => refused += usize::from(!failure.causes().is_empty()),
        }
    }
    assert!(refused > 100, "only {refused} were refused");
}

/// Damage beneath digests that are right: whoever makes an image can make this.
#[test]
fn an_image_that_is_made_badly_is_told_or_refused() {
    let layout = built();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("image");
    let bytes = |kind: &str| {
        layout
            .blobs
            .iter()
            .find(|blob| blob.media_type == kind)
            .unwrap()
            .bytes()
    };
    let tar = {
        let mut tar = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(bytes(LAYER)), &mut tar).unwrap();
        tar
    };
    let mut random = Random(2);
    let mut told = 0;
    for round in 0..400 {
        let (mut configuration, mut packed) = (bytes(CONFIGURATION).to_vec(), bytes(LAYER).to_vec());
        match round % 4 {
            0 => configuration = random.damage(&configuration),
            1 => packed = random.damage(&packed),
            // The header of the first file, which is the module.
            2 => packed = image::compress(&[random.damage(&tar[..512]), tar[512..].to_vec()].concat()).unwrap(),
            _ => {}
        }
        let blobs = vec![
            Blob::from_bytes(CONFIGURATION, configuration),
            Blob::from_bytes(LAYER, packed),
        ];
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": blobs[0].descriptor(),
            "layers": [blobs[1].descriptor()]});
        let manifest = manifest.to_string().into_bytes();
        let manifest = if round % 4 == 3 {
            random.damage(&manifest)
        } else {
            manifest
        };
        let root = Blob::from_bytes(MANIFEST, manifest);
        let made = Layout {
            name: None,
            root,
            manifests: Vec::new(),
            absent: Vec::new(),
            blobs,
            referrers: Vec::new(),
        };
        store::write(&path, &made).unwrap();
        if let Ok(report) = report(&path) {
            text(&report);
            serde_json::to_string(&report).unwrap();
            told += 1;
        }
    }
    assert!((50..400).contains(&told), "{told} were told");
}

/// Damages texts many times, and hands them on.
fn each(seed: u64, texts: &[&str], check: impl Fn(&[u8])) {
    let mut random = Random(seed);
    for text in texts {
        check(text.as_bytes());
        for _ in 0..3_000 {
            check(&random.damage(text.as_bytes()));
        }
    }
}

#[test]
fn a_name_that_is_taken_leads_to_its_registry_and_nowhere_else() {
    let digest = format!("[::1]:5000/a@{DIGEST}");
    each(
        3,
        &[
            "docker.io/you/orders:1.2.3",
            "localhost:5000/a__b.c--d:v1",
            "nginx:1",
            &digest,
        ],
        |bytes| {
            let Ok(reference) = Reference::parse(&String::from_utf8_lossy(bytes)) else {
                return;
            };
            let (text, repository) = (reference.to_string(), &reference.repository);
            assert_eq!(Reference::parse(&text).as_ref(), Ok(&reference), "{text}");
            let url = reqwest::Url::parse(&format!("https://{}/v2/{}", repository.host(), repository.path));
            // A host that cannot be is told when it is to be reached.
            let Ok(url) = url else { return };
            assert_eq!(url.path(), format!("/v2/{}", repository.path), "{text}");
            assert!(
                url.username().is_empty() && url.query().is_none() && url.fragment().is_none(),
                "{text}"
            );
        },
    );
}

#[test]
fn what_registries_answer_is_read_or_refused() {
    each(
        4,
        &[
            r#"Bearer realm="https://x.io/token",service="x",scope="repository:a:pull",error="invalid_token""#,
            "Basic realm=x",
        ],
        |bytes| {
            if let Some(Challenge::Bearer { realm, .. }) = Challenge::parse([&*String::from_utf8_lossy(bytes)]) {
                assert!(realm.len() <= 3 * bytes.len());
            }
        },
    );
    each(5, &[r#"{"token":"t","access_token":"u"}"#], |bytes| {
        drop(challenge::token(bytes))
    });
    each(6, &["7", "Fri, 02 Jan 2026 03:04:35 GMT"], |bytes| {
        retry::parse_retry_after(&String::from_utf8_lossy(bytes), jiff::Timestamp::UNIX_EPOCH);
    });
    let referrer = format!(
        r#"{{"subject":{{"mediaType":"m","digest":"{DIGEST}","size":1}},"artifactType":"a","annotations":{{"b":"c"}}}}"#
    );
    let referrer = Blob::from_bytes(MANIFEST, referrer.into_bytes());
    let list = referrers::add_referrer(None, &[], &referrer).unwrap().unwrap();
    each(7, &[&String::from_utf8(list).unwrap()], |bytes| {
        referrers::listed(INDEX, bytes);
        // Whatever the list was, it names the referrer afterwards, or is no list.
        let before = Blob::from_bytes(INDEX, bytes.to_vec());
        let Ok(after) = referrers::add_referrer(Some(&before), &[DIGEST.parse().unwrap()], &referrer) else {
            return;
        };
        let after: Value = serde_json::from_slice(&after.unwrap_or_else(|| bytes.to_vec())).unwrap();
        let mut entries = after["manifests"].as_array().unwrap().iter();
        assert!(entries.any(|entry| entry["digest"] == *referrer.digest.as_str()));
    });
}

#[test]
fn kept_logins_signatures_and_statements_are_read_or_refused() {
    let configuration = r#"{"auths":{"x.io":{"auth":"YW5uOnNlY3JldA=="},"y.io":{"identitytoken":"t"}},"credHelpers":{"z.io":"h"},"credsStore":"s"}"#;
    let repositories = ["x.io/a", "y.io/a", "z.io/a", "a"].map(|name| Repository::parse(name).unwrap().0);
    each(8, &[configuration], |bytes| {
        let Ok(configuration) = DockerConfig::parse(&String::from_utf8_lossy(bytes)) else {
            return;
        };
        for repository in &repositories {
            for place in configuration.credential_sources(repository) {
                if let CredentialSource::Entry(key, entry) = place
                    && let Err(why) = entry.login(key)
                {
                    assert!(!why.contains("secret"), "{why}");
                }
            }
        }
    });
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"m","config":{{"mediaType":"c","digest":"{DIGEST}","size":1}},"layers":[{{"mediaType":"application/vnd.dsse.envelope.v1+json","digest":"{DIGEST}","size":1,"annotations":{{"dev.cosignproject.cosign/signature":"AAAA","predicateType":"a"}}}}]}}"#
    );
    each(9, &[&manifest], |bytes| {
        assert!(candidates(bytes).is_ok() == envelopes(bytes, "a").is_ok());
    });
    let statement = r#"{"subject":[{"digest":{"sha256":"12"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{"resolvedDependencies":[{"uri":"x","digest":{"gitCommit":"1"}}]},"runDetails":{"builder":{"id":"b"}}}}"#;
    let bundle = format!(
        r#"{{"mediaType":"{}.v0.3+json","dsseEnvelope":{{"payload":"e30=","payloadType":"a","signatures":[{{"sig":"AAAA"}}]}}}}"#,
        bundle::MEDIA_TYPE
    );
    each(11, &[&bundle], |bytes| drop(bundle::envelope(bytes)));
    each(10, &[statement], |bytes| {
        if let Some(provenance) = Provenance::read(bytes) {
            assert!(provenance.is_built_by("*") && provenance.is_built_by(&format!("{}*", provenance.builder)));
        }
    });
}
