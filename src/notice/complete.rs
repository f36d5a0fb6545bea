//! Which fields each form cannot do without, and which cases it cannot take.

use std::fmt;

use super::acns;
use super::data::{Notice, Party};
use super::form::Form;
use crate::base::inert;

/// Why a document is not written: everything that it lacks, in the order of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incomplete {
    /// The kind of document.
    pub form: Form,
    /// Mandatory fields that nothing gives: keys of the configuration, or `recordings.ID.FIELD` of the catalogue.
    pub missing: Vec<String>,
    /// Cases that cannot be in it, one sentence each.
    pub unfit: Vec<String>,
}

impl Incomplete {
    /// Takes over what another notice of the same form lacks; what is the same is told once.
    pub fn join(&mut self, other: Self) {
        for (own, theirs) in [(&mut self.missing, other.missing), (&mut self.unfit, other.unfit)] {
            for one in theirs {
                if !own.contains(&one) {
                    own.push(one);
                }
            }
        }
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {} document is not written", self.form)?;
        if !self.missing.is_empty() {
            let keys = self.missing.join(", ");
            write!(f, "; it lacks mandatory fields, set in the configuration or the catalogue: {keys}")?;
        }
        if !self.unfit.is_empty() {
            write!(f, "; {}", self.unfit.join("; "))?;
        }
        Ok(())
    }
}

impl std::error::Error for Incomplete {}

/// Every field of a party that the NCAC form marks with an asterisk.
const NCAC_PARTY: [&str; 9] = [
    "name",
    "id_document_type",
    "id_document_number",
    "legal_representative",
    "address",
    "post_code",
    "contact_person",
    "telephone",
    "email",
];

/// Checks a notice against its form.
///
/// # Errors
/// [`Incomplete`] with all that is missing and unfit.
pub(super) fn check(notice: &Notice) -> Result<(), Incomplete> {
    let mut check = Check { notice, missing: Vec::new(), unfit: Vec::new() };
    match notice.form {
        Form::Ncac => check.ncac(),
        Form::Complaint => check.complaint(),
        Form::Dmca => check.dmca(),
        Form::Dsa => check.dsa(),
        Form::Japan => check.japan(),
        Form::Acns => check.acns(),
        Form::Lumen => check.lumen(),
        Form::Google => check.google(),
    }
    if notice.annex.is_empty() {
        check.missing.push("cases (no sighting has an address)".to_owned());
    }
    if check.missing.is_empty() && check.unfit.is_empty() {
        return Ok(());
    }
    Err(Incomplete { form: notice.form, missing: check.missing, unfit: check.unfit })
}

struct Check<'a> {
    notice: &'a Notice,
    missing: Vec<String>,
    unfit: Vec<String>,
}

impl Check<'_> {
    fn need(&mut self, given: bool, key: impl FnOnce() -> String) {
        if !given {
            self.missing.push(key());
        }
    }

    fn provider(&mut self, given: bool, field: &str) {
        let domain = self.notice.provider.domain.clone();
        self.need(given, || provider_key(&domain, field));
    }

    /// The right holder, and the agent where there is one.
    fn parties(&mut self, fields: &[&str]) {
        let notice = self.notice;
        self.party(&notice.right_holder, "claim.right_holder", fields);
        if let Some(agent) = &notice.agent {
            self.party(agent, "claim.agent", fields);
        }
    }

    /// Who writes: the agent, else the right holder.
    fn sender(&mut self, fields: &[&str]) {
        let notice = self.notice;
        match &notice.agent {
            Some(agent) => self.party(agent, "claim.agent", fields),
            None => self.party(&notice.right_holder, "claim.right_holder", fields),
        }
    }

    fn party(&mut self, party: &Party, key: &str, fields: &[&str]) {
        for field in fields {
            self.need(field_of(party, field).is_some(), || format!("{key}.{field}"));
        }
    }

    fn site_addresses(&mut self) {
        for site in &self.notice.sites {
            let given = !site.ip_addresses.is_empty();
            self.need(given, || provider_key(&site.domain, "ip_address"));
        }
    }

    /// Refuses recordings whose protection has ended: `years` from the end of the year that `first` gives, or for good before
    /// the term was made longer, with those of `ended_with` and before.
    fn protected(
        &mut self,
        place: &str,
        (years, ended_with): (i16, Option<i16>),
        first: fn(&super::data::Work) -> Option<&String>,
    ) {
        let today = year_of(&self.notice.date);
        for work in &self.notice.works {
            let begun = first(work).and_then(|date| year_of(date));
            if let (Some(begun), Some(_)) = (begun, today)
                && ended_with.is_some_and(|year| begun <= year)
            {
                self.unfit.push(format!(
                    "recording {} is of {begun}: its protection in {place} ended before the term was made longer",
                    work.recording_id
                ));
            } else if let (Some(begun), Some(today)) = (begun, today)
                && today > begun.saturating_add(years)
            {
                self.unfit.push(format!(
                    "recording {} is of {begun}: its protection in {place} ended with {}",
                    work.recording_id,
                    begun.saturating_add(years)
                ));
            }
        }
    }

    /// The asterisks of NCAC Announcement No. 1 of 2007; 50 years by Copyright Law Art. 44.
    fn ncac(&mut self) {
        self.provider(self.notice.provider.name.is_some(), "name");
        self.parties(&NCAC_PARTY);
        self.site_addresses();
        self.protected("China", (50, None), |work| work.first_made.as_ref().or(work.release_date.as_ref()));
    }

    /// Names and addresses of both sides, identity, proof of the right: the NCAC's guide of 2006. Two years:
    /// Measures on administrative penalties.
    fn complaint(&mut self) {
        self.parties(&NCAC_PARTY);
        let provider = &self.notice.provider;
        self.provider(provider.operator.is_some() || provider.name.is_some(), "operator");
        let address = match provider.operator {
            Some(_) => &provider.operator_address,
            None => &provider.address,
        };
        let field = if provider.operator.is_some() { "operator_address" } else { "address" };
        self.provider(address.is_some(), field);
        self.need(!self.notice.proof.is_empty(), || "claim.proof".to_owned());
        self.protected("China", (50, None), |work| work.first_made.as_ref().or(work.release_date.as_ref()));
        self.within_two_years();
    }

    fn within_two_years(&mut self) {
        let Ok(date) = self.notice.date.parse::<jiff::civil::Date>() else { return };
        let Ok(earliest) = date.checked_sub(jiff::Span::new().years(2)) else { return };
        let earliest = earliest.to_string();
        for item in &self.notice.annex {
            if item.last_seen_at.get(..10).is_some_and(|seen| seen < earliest.as_str()) {
                self.unfit.push(format!(
                    "case {} was last seen on {}, more than two years ago, which is too late to complain",
                    item.case_id,
                    item.last_seen_at.get(..10).unwrap_or_default()
                ));
            }
        }
    }

    /// 17 U.S.C. § 512(c)(3)(A)(i) to (vi); (ii) and (iii) are what every notice has.
    fn dmca(&mut self) {
        self.need(self.notice.signature.name.is_some(), || "claim.signature".to_owned());
        self.party(&self.notice.right_holder, "claim.right_holder", &["name"]);
        self.sender(&["name", "address", "telephone", "email"]);
        let provider = &self.notice.provider;
        self.provider(provider.name.is_some(), "name");
    }

    /// Regulation (EU) 2022/2065 Art. 16(2)(a) to (d); (a) and (b) are what every notice has. 70 years from
    /// publication: Directive 2006/116/EC Art. 3(2).
    fn dsa(&mut self) {
        self.party(&self.notice.right_holder, "claim.right_holder", &["name"]);
        self.sender(&["name", "email"]);
        self.provider(self.notice.provider.name.is_some(), "name");
        // What had run out under the 50 years of before stayed so: Directive 2011/77/EU, from 1 November 2013.
        self.protected("the European Union", (70, Some(1962)), |work| work.release_date.as_ref());
    }

    /// The fields of form A; the term is 70 years from release (Copyright Act Art. 101(2)(ii)), so a date is needed.
    fn japan(&mut self) {
        self.provider(self.notice.provider.name.is_some(), "name");
        self.party(&self.notice.right_holder, "claim.right_holder", &["name"]);
        self.sender(&["name", "address", "telephone", "email"]);
        for work in &self.notice.works {
            let given = work.release_date.is_some() || work.first_made.is_some();
            self.need(given, || format!("recordings.{}.release_date", work.recording_id));
        }
        // What had run out under the 50 years of before 30 December 2018 stayed so.
        self.protected("Japan", (70, Some(1967)), |work| {
            work.release_date.as_ref().or(work.first_made.as_ref())
        });
    }

    /// The elements that the schema asks for: Entity and Email of both sides, Source/IP_Address.
    fn acns(&mut self) {
        self.party(&self.notice.right_holder, "claim.right_holder", &["name"]);
        self.sender(&["name", "email"]);
        self.provider(self.notice.provider.name.is_some(), "name");
        self.provider(self.notice.provider.email.is_some(), "email");
        self.servers();
    }

    /// Each file needs the address of the very server that it lies on.
    fn servers(&mut self) {
        let notice = self.notice;
        for item in notice.annex.iter().filter(|item| acns::server(notice, item).is_none()) {
            match acns::site_of(notice, item) {
                Some(site) => {
                    let key = provider_key(&site.domain, "ip_address");
                    if !self.missing.contains(&key) {
                        self.missing.push(key);
                    }
                }
                None => self.unfit.push(format!(
                    "case {}: it is not known which server {} lies on; `earwitness check` of its page sees it",
                    item.case_id, item.media_url
                )),
            }
        }
    }

    /// Lumen asks for works and for names in their roles.
    fn lumen(&mut self) {
        self.party(&self.notice.right_holder, "claim.right_holder", &["name"]);
        self.sender(&["name"]);
        self.provider(self.notice.provider.name.is_some(), "name");
    }

    /// The fields of the web form, and an address where each work may lawfully be heard.
    fn google(&mut self) {
        self.party(&self.notice.right_holder, "claim.right_holder", &["name"]);
        self.sender(&["name", "contact_person", "email", "country"]);
        let given = self.notice.works.iter().all(|work| work.authorised_url.is_some());
        self.need(given, || "claim.authorised_url".to_owned());
    }
}

fn provider_key(domain: &str, field: &str) -> String {
    format!("providers.\"{}\".{field}", inert(domain))
}

fn field_of<'a>(party: &'a Party, field: &str) -> Option<&'a String> {
    match field {
        "name" => party.name.as_ref(),
        "id_document_type" => party.id_document_type.as_ref(),
        "id_document_number" => party.id_document_number.as_ref(),
        "legal_representative" => party.legal_representative.as_ref(),
        "address" => party.address.as_ref(),
        "post_code" => party.post_code.as_ref(),
        "contact_person" => party.contact_person.as_ref(),
        "telephone" => party.telephone.as_ref(),
        "email" => party.email.as_ref(),
        "country" => party.country.as_ref(),
        _ => None,
    }
}

/// The year of `YYYY` or `YYYY-MM-DD`.
fn year_of(date: &str) -> Option<i16> {
    date.get(..4)?.parse().ok()
}
