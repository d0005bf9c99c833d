//! `qijin import docx`, `qijin import page` and `qijin import draft`.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::super::{Config, runtime};
use crate::knowledge::import::{self, Material, PublishError, page};
use crate::knowledge::read_bounded;

pub(super) fn docx(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let bytes = read_bounded(file, 64).with_context(|| format!("读不了 {}", file.display()))?;
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let material = import::leaflet(&name, &bytes).with_context(|| format!("{}", file.display()))?;
    write(config, &material)
}

pub(super) fn page(config: &Config, url: &str) -> anyhow::Result<ExitCode> {
    let page = runtime()?.block_on(page::fetch(url, page::is_public))?;
    write(config, &page::material(&page)?)
}

fn write(config: &Config, material: &Material) -> anyhow::Result<ExitCode> {
    let options = config.load_options();
    let path = import::write_draft(&config.folders.library, material, options.today)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    say!("草稿写在 {}，还不会拿来回答居民。", path.display());
    say!("请用自己的话写好各项、对照法条核对，再运行 qijin import draft {name}");
    Ok(ExitCode::SUCCESS)
}

pub(super) fn publish(config: &Config, file: &Path) -> anyhow::Result<ExitCode> {
    let colour = std::io::stdout().is_terminal();
    let options = config.load_options();
    let publication = match import::publication(&config.folders.library, &options, file) {
        Ok(publication) => publication,
        Err(PublishError::Refused(refused)) => {
            for finding in &refused.findings {
                say!("{}\n", finding.render(&refused.sources, colour));
            }
            say!(
                "草稿还有 {} 处要改，没有发布，草稿也没有动。",
                refused.errors()
            );
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => return Err(error.into()),
    };
    for warning in &publication.warnings {
        say!("{}\n", warning.render(&publication.sources, colour));
    }
    publication.publish()?;
    for planned in &publication.planned.files {
        say!(
            "已发布到 {}：{} 条。草稿已移走。",
            config.folders.library.join(&planned.path).display(),
            planned.entries
        );
    }
    Ok(ExitCode::SUCCESS)
}
