//! Cookies: registered, of their form, and decided like any other datum, in either direction.

use consentry_model::{Act, Moment, RecipientId, Treatment};
use consentry_policy::{Bundle, CookieDef, CookieForm};
use http::{HeaderMap, HeaderValue, header};

use crate::asking::Asking;
use crate::describe::Access;
use crate::evidence::{Lines, Taken};
use crate::exchange::Decided;
use crate::head::Head;
use crate::people::Whom;
use crate::spelled::{spells_somebody, tells_of_somebody};
use crate::technical::SetCookie;

/// Whether a value has the form that the register names, and is not an address, a number or a card in disguise. What is
/// nothing but decimal digits is taken for what the register says it is.
fn has_its_form(cookie: &CookieDef, value: &str) -> bool {
    let disguised = match cookie.form {
        CookieForm::Opaque => tells_of_somebody(value),
        CookieForm::Hex(_) | CookieForm::AnyHex => spells_somebody(value),
        CookieForm::Digits(_) | CookieForm::AnyDigits => false,
    };
    cookie.form.accepts(value.as_bytes()) && !disguised
}

/// Whether what a cookie is said to be for holds nobody's data: a path by which a route begins, in words of the service map
/// alone; one of the bundle's hosts. A domain that one of them stands in has other hosts as well, to which nothing is given:
/// what is there may be taken away.
fn is_described(bundle: &Bundle, ends: bool, attribute: &str, value: &str) -> bool {
    if attribute == "path" {
        let inside = value.strip_prefix('/').map(|rest| rest.strip_suffix('/').unwrap_or(rest));
        return inside.is_some_and(|path| bundle.service.begins_with(&path.split('/').collect::<Vec<_>>()));
    }
    let domain = value.strip_prefix('.').unwrap_or(value).to_ascii_lowercase();
    let stands_in = |host: &str| {
        domain.contains('.') && host.strip_suffix(domain.as_str()).is_some_and(|below| below.ends_with('.'))
    };
    bundle.settings.hosts.iter().any(|host| *host == domain || (ends && stands_in(host)))
}

/// A line as it may go on, as far as its attributes are concerned.
fn read(bundle: &Bundle, line: &HeaderValue, now: Moment) -> Option<SetCookie> {
    let read = |ends| SetCookie::read(line, |attribute, value| is_described(bundle, ends, attribute, value));
    if read(true)?.taken_away(now).is_some() { read(true) } else { read(false) }
}

impl Access {
    /// The registered cookies that came, have their form, and may be collected.
    pub(crate) fn allowed_cookies(
        &self,
        head: &Head,
        whom: &Whom,
        own: bool,
        lines: &mut Lines,
    ) -> Vec<String> {
        let cookies = head.cookies();
        let registered = &self.installed.engine.bundle().service.cookies;
        let mut good = |cookie: &&CookieDef| {
            cookies.get(&cookie.name).is_some_and(|v| has_its_form(cookie, v))
                && self.may_keep(cookie, whom, own, lines)
        };
        registered.iter().filter(|c| good(c)).map(|c| c.name.clone()).collect()
    }

    /// Whether a cookie's purpose may be served by what it holds; in either direction it is collected. Where a request goes
    /// on to somebody outside, none is: it would be theirs.
    fn may_keep(&self, cookie: &CookieDef, whom: &Whom, own: bool, lines: &mut Lines) -> bool {
        if self.destination.is_some() {
            return false;
        }
        let bundle = self.installed.engine.bundle();
        let Ok(route) = self.route() else { return false };
        let Some(class) = bundle.service.cookie_class(route, cookie) else { return false };
        let Some(lineage) = bundle.vocabulary.lineage(&cookie.purpose) else { return false };
        let asking = Asking::new(Act::Collect, RecipientId::new("internal"), lineage);
        let told = self.told(whom, own, &asking);
        let Some(class) = self.class_of(&told, class) else { return false };
        let data = self.facts_of(&told, class, &[]);
        let question = self.question(&asking, class);
        let engine = &self.installed.engine;
        let verdict = engine.decide_on(&question, &data.word, &data.facts, told.person, self.now);
        lines.add(self, class, &verdict, &data.facts, &told);
        verdict.treatment == Treatment::Clear
    }
}

impl Decided {
    /// The cookies that an answer may set, each as far as its attributes have a plain form.
    pub(crate) fn set_cookies(
        &self,
        from: &HeaderMap,
        lines: &mut Lines,
        taken: &mut Taken,
    ) -> Vec<HeaderValue> {
        let bundle = self.access.installed.engine.bundle();
        let registered = &bundle.service.cookies;
        let mut out = Vec::new();
        for line in from.get_all(header::SET_COOKIE) {
            let read = read(bundle, line, self.access.now);
            let known = read.and_then(|read| Some((registered.iter().find(|c| c.name == read.name)?, read)));
            let Some((cookie, read)) = known else {
                taken.undeclared += 1;
                continue;
            };
            let keeps = has_its_form(cookie, &read.value)
                && self.access.may_keep(cookie, &self.whom, self.own, lines);
            let read = match crate::duties::longest_life(&self.access, cookie, &self.whom, self.own) {
                Some(seconds) => {
                    let (read, shortened) = read.clamped(seconds, self.access.now);
                    if shortened {
                        taken.path(format!("response.cookie.{}.max-age", read.name));
                    }
                    read
                }
                None => read,
            };
            let says_nothing = read.value.is_empty();
            let goes = if keeps { Some(read) } else { self.taken_away(read) };
            if !keeps && (!says_nothing || goes.is_none()) {
                taken.path(format!("response.cookie.{}", cookie.name));
            }
            if let Some((line, left_out)) = goes.and_then(|read| Some((read.line()?, read.left_out))) {
                taken.undeclared += left_out;
                out.push(line);
            }
        }
        out
    }

    /// The registered cookies that an answer takes away which sets none: it is an error.
    pub(crate) fn ended_cookies(&self, from: &HeaderMap) -> Vec<HeaderValue> {
        let bundle = self.access.installed.engine.bundle();
        let ended = |line: &HeaderValue| {
            let read = read(bundle, line, self.access.now)?;
            let known = bundle.service.cookies.iter().any(|cookie| cookie.name == read.name);
            self.taken_away(read).filter(|_| known)?.line()
        };
        from.get_all(header::SET_COOKIE).iter().filter_map(ended).collect()
    }

    /// A cookie that may not be set may be taken away, as it must be from whoever no longer agrees to it. Whoever is
    /// outside takes nothing away here.
    fn taken_away(&self, read: SetCookie) -> Option<SetCookie> {
        if self.access.destination.is_some() { None } else { read.taken_away(self.access.now) }
    }
}
