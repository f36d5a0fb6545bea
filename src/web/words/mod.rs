//! What pages say, in each language. One table for each part of the desk, with a column for each language, so that nothing
//! is missing in any.

mod case;
mod crawls;
mod desk;
mod hooks;
mod overview;
mod owned;
mod papers;
mod people;
mod shell;
mod verify;

pub(super) use case::CaseWords;
pub(super) use crawls::CrawlWords;
pub(super) use desk::DeskWords;
pub(super) use hooks::HookWords;
pub(super) use overview::OverviewWords;
pub(super) use owned::OwnedWords;
pub(super) use papers::PaperWords;
pub(super) use people::PeopleWords;
pub(super) use shell::ShellWords;
pub(super) use verify::VerifyWords;

/// Makes a struct of texts, and its value in each language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($field:ident: $en:literal, $zh:literal, $ja:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(in crate::web) struct $name {
            $(pub(in crate::web) $field: &'static str,)*
        }

        impl $name {
            /// The texts in a language.
            pub(in crate::web) const fn of(lang: $crate::web::words::Lang) -> &'static Self {
                match lang {
                    $crate::web::words::Lang::English => &Self { $($field: $en,)* },
                    $crate::web::words::Lang::Chinese => &Self { $($field: $zh,)* },
                    $crate::web::words::Lang::Japanese => &Self { $($field: $ja,)* },
                }
            }
        }
    };
}
use words;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lang {
    English,
    /// Simplified Chinese.
    Chinese,
    Japanese,
}

impl Lang {
    pub(super) const ALL: [Self; 3] = [Self::English, Self::Chinese, Self::Japanese];

    /// The language that a code names, of which only the first part counts.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        let code = code.trim().to_ascii_lowercase();
        Self::ALL.into_iter().find(|lang| lang.code() == code)
    }

    /// The code in addresses, cookies and settings.
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
            Self::Japanese => "ja",
        }
    }

    /// The tag of BCP 47, for the page.
    pub(super) const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-Hans",
            Self::Japanese => "ja",
        }
    }

    /// What it calls itself.
    pub(super) const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "简体中文",
            Self::Japanese => "日本語",
        }
    }
}
