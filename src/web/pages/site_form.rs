//! The form that makes or changes a site: what was typed stays typed where it is wrong.

use crate::config::{ScheduleSettings, SiteSettings};
use crate::web::ask::Form;
use crate::web::fault::Fault;

/// What stands in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SiteForm {
    pub(super) name: String,
    /// One address in each line.
    pub(super) seeds: String,
    pub(super) territory: String,
    pub(super) cron: String,
    pub(super) time_zone: String,
    pub(super) depth_max: String,
    pub(super) requests_max: String,
    pub(super) delay_ms: String,
    /// What is wrong; begins with the field's name.
    pub(super) trouble: Option<String>,
}

impl SiteForm {
    /// What was sent.
    pub(super) fn typed(form: &Form) -> Self {
        let text = |name: &str| form.get(name).unwrap_or_default().to_owned();
        Self {
            name: text("name"),
            seeds: text("seeds"),
            territory: text("territory"),
            cron: text("cron"),
            time_zone: text("time_zone"),
            depth_max: text("depth_max"),
            requests_max: text("requests_max"),
            delay_ms: text("delay_ms"),
            trouble: None,
        }
    }

    /// A site's settings, to be changed.
    pub(super) fn of(name: &str, site: &SiteSettings) -> Self {
        fn text(value: Option<impl ToString>) -> String {
            value.map(|value| value.to_string()).unwrap_or_default()
        }
        let schedule = site.schedule.as_ref();
        Self {
            name: name.to_owned(),
            seeds: site.seeds.join("\n"),
            territory: text(site.territory.as_ref()),
            cron: text(schedule.map(|one| &one.cron)),
            time_zone: text(schedule.map(|one| &one.time_zone)),
            depth_max: text(site.depth_max),
            requests_max: text(site.requests_max),
            delay_ms: text(site.delay_ms),
            trouble: None,
        }
    }

    /// The form with what is wrong with it.
    pub(super) fn with_trouble(self, trouble: String) -> Self {
        Self { trouble: Some(trouble), ..self }
    }

    /// Whether what is wrong is told of this field.
    pub(super) fn is_wrong(&self, field: &str) -> bool {
        let named = self.trouble.as_deref().and_then(|trouble| trouble.split_once(':'));
        named.is_some_and(|(name, _)| name == field)
    }

    /// The settings that are meant; what the form has no field for stays as it is in `old`.
    ///
    /// # Errors
    /// [`Fault`] that begins with the field's name.
    pub(super) fn settings(&self, old: Option<SiteSettings>) -> Result<SiteSettings, Fault> {
        let old = old.unwrap_or_default();
        let territory = Some(self.territory.to_uppercase()).filter(|code| !code.is_empty());
        if territory
            .as_ref()
            .is_some_and(|code| code.len() != 2 || !code.bytes().all(|b| b.is_ascii_uppercase()))
        {
            return Err(Fault::unfit("territory: two letters, such as CN or JP (ISO 3166-1)"));
        }
        Ok(SiteSettings {
            seeds: self
                .seeds
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .map(str::to_owned)
                .collect(),
            territory,
            schedule: self.schedule(old.schedule.as_ref())?,
            depth_max: number("depth_max", &self.depth_max)?,
            requests_max: number("requests_max", &self.requests_max)?,
            delay_ms: number("delay_ms", &self.delay_ms)?,
            ..old
        })
    }

    fn schedule(&self, old: Option<&ScheduleSettings>) -> Result<Option<ScheduleSettings>, Fault> {
        if self.cron.is_empty() {
            return Ok(None);
        }
        let zone = if self.time_zone.is_empty() { "UTC" } else { &self.time_zone };
        // Which of the two is wrong, the form is to show.
        ScheduleSettings::new(&self.cron, "UTC").map_err(|error| Fault::unfit(format!("cron: {error}")))?;
        let new = ScheduleSettings::new(&self.cron, zone)
            .map_err(|error| Fault::unfit(format!("time_zone: {error}")))?;
        Ok(Some(match old {
            Some(old) => ScheduleSettings { catch_up: old.catch_up, jitter_s: old.jitter_s, ..new },
            None => new,
        }))
    }
}

fn number<T: std::str::FromStr>(field: &str, text: &str) -> Result<Option<T>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let number = text.parse().map(Some);
    number.map_err(|_| Fault::unfit(format!("{field}: a whole number, or nothing for the default")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::config::{CatchUp, ScopeKind};

    #[test]
    fn what_the_form_has_no_field_for_stays() {
        let schedule = ScheduleSettings {
            catch_up: CatchUp::Skip,
            jitter_s: 60,
            ..ScheduleSettings::new("@daily", "Asia/Tokyo").unwrap()
        };
        let old = SiteSettings {
            seeds: vec!["https://a.example/".to_owned(), "https://b.example/".to_owned()],
            scope: ScopeKind::Host,
            exclude: vec!["print".to_owned()],
            schedule: Some(schedule),
            depth_max: Some(2),
            ..SiteSettings::default()
        };
        let form = SiteForm::of("one", &old);
        let same = form.settings(Some(old.clone())).unwrap();
        assert_eq!(serde_json::to_value(&same).unwrap(), serde_json::to_value(&old).unwrap());
        let other = SiteForm { cron: "@weekly".to_owned(), depth_max: String::new(), ..form };
        let other = other.settings(Some(old)).unwrap();
        assert_eq!(other.depth_max, None);
        let schedule = other.schedule.unwrap();
        assert_eq!(
            (schedule.cron.as_str(), schedule.catch_up, schedule.jitter_s),
            ("@weekly", CatchUp::Skip, 60)
        );
    }

    #[test]
    fn what_is_wrong_is_told_of_its_field() {
        let form = |change: fn(&mut SiteForm)| {
            let mut form = SiteForm { seeds: "https://a.example/".to_owned(), ..SiteForm::default() };
            change(&mut form);
            form
        };
        for (field, wrong) in [
            ("cron", form(|form| form.cron = "61 * * * *".to_owned())),
            ("time_zone", form(|form| (form.cron, form.time_zone) = ("@daily".into(), "Asia/Tokio".into()))),
            ("depth_max", form(|form| form.depth_max = "-1".to_owned())),
            ("requests_max", form(|form| form.requests_max = "many".to_owned())),
            ("delay_ms", form(|form| form.delay_ms = "1.5".to_owned())),
            ("territory", form(|form| form.territory = "China".to_owned())),
        ] {
            let fault = wrong.settings(None).unwrap_err();
            let wrong = wrong.with_trouble(fault.detail);
            assert!(wrong.is_wrong(field) && !wrong.is_wrong("seeds"), "{field}: {:?}", wrong.trouble);
        }
    }
}
