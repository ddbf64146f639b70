//! Arguments validated.

use std::path::Path;

use super::args::{LevelArg, PickArgs, TargetArgs};
use crate::conform::server::Manifest;
use crate::conform::{Level, Pattern, Pick, Target};

/// The server under test and how to start it.
pub(super) struct Bench {
    pub target: Target,
    pub manifest: Option<Manifest>,
}

/// Reads the manifest and the URL.
pub(super) fn bench(args: &TargetArgs) -> Result<Bench, String> {
    let manifest = match (&args.exec, &args.server) {
        (Some(line), _) => {
            Some(Manifest::of_command(line).map_err(|error| format!("--exec: {error}"))?)
        }
        (None, Some(path)) => Some(read_manifest(path)?),
        (None, None) => None,
    };
    let url = args.url.as_ref().or(manifest.as_ref().and_then(|manifest| manifest.url.as_ref()));
    let url = url.ok_or("give the server's URL: rtmpscope check rtmp://host[:port]/app")?;
    let mut target = Target::parse(url).map_err(|error| error.to_string())?;
    let of_manifest =
        |get: fn(&Manifest) -> &Option<String>| manifest.as_ref().and_then(|m| get(m).clone());
    target.vod = args.vod.clone().or_else(|| of_manifest(|m| &m.vod));
    if target.query.is_empty() {
        target.query = of_manifest(|m| &m.query).unwrap_or_default();
    }
    Ok(Bench { target, manifest })
}

fn read_manifest(path: &Path) -> Result<Manifest, String> {
    let shown = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
    let mut manifest: Manifest =
        toml::from_str(&text).map_err(|error| format!("{shown}: {}", error.to_string().trim()))?;
    if manifest.start.is_empty() {
        return Err(format!("{shown}: start is missing; give program and arguments as a list"));
    }
    let here = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let here = here.map_or_else(|| Path::new(".").to_owned(), Path::to_owned);
    manifest.dir = Some(manifest.dir.as_deref().map_or(here.clone(), |dir| here.join(dir)));
    if manifest.name.is_empty() {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        manifest.name = stem.unwrap_or_default();
    }
    Ok(manifest)
}

/// Which cases were asked for.
pub(super) fn pick(args: &PickArgs) -> Result<Pick, String> {
    let patterns = |words: &[String]| -> Result<Vec<Pattern>, String> {
        words.iter().map(|word| Pattern::new(word)).collect()
    };
    Ok(Pick {
        only: patterns(&args.only)?,
        skip: patterns(&args.skip)?,
        level: match args.level {
            LevelArg::Must => Some(Level::Must),
            LevelArg::Should => Some(Level::Should),
            LevelArg::All => None,
        },
        slow: args.slow,
        shard: args.shard.as_deref().map(shard).transpose()?,
    })
}

fn shard(text: &str) -> Result<(u32, u32), String> {
    let parts = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((k, n)) if k >= 1 && k <= n => Ok((k, n)),
        _ => Err(format!("--shard {text}: give k/n with k from 1 to n, such as 1/3")),
    }
}
