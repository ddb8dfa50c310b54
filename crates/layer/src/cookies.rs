//! Cookies: registered, of their form, and decided like any other datum, in either direction.

use consentry_model::{Act, RecipientId, Treatment};
use consentry_policy::CookieDef;
use http::{HeaderMap, HeaderValue, header};

use crate::describe::Access;
use crate::evidence::{Lines, Taken};
use crate::exchange::Decided;
use crate::head::Head;
use crate::people::Whom;
use crate::technical::SetCookie;

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
            cookies.get(&cookie.name).is_some_and(|v| cookie.form.accepts(v.as_bytes()))
                && self.may_keep(cookie, whom, own, lines)
        };
        registered.iter().filter(|c| good(c)).map(|c| c.name.clone()).collect()
    }

    /// Whether a cookie's purpose may be served by what it holds; in either direction it is collected.
    fn may_keep(&self, cookie: &CookieDef, whom: &Whom, own: bool, lines: &mut Lines) -> bool {
        let bundle = self.installed.engine.bundle();
        let Some(about) = self.about() else { return false };
        let Some(class) = bundle.service.class_of(&cookie.category, &about.subject_type) else {
            return false;
        };
        let Some(lineage) = bundle.vocabulary.lineage(&cookie.purpose) else { return false };
        let internal = RecipientId::new("internal");
        let (facts, person) = self.facts_about(whom, own, &lineage, &internal);
        let question = self.question(Act::Collect, internal, cookie.purpose.clone(), class);
        let verdict = self.installed.engine.decide(&question, &facts, person, self.now);
        lines.add(self, class, &verdict, &facts, whom);
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
        let registered = &self.access.installed.engine.bundle().service.cookies;
        let mut out = Vec::new();
        for line in from.get_all(header::SET_COOKIE) {
            let read = SetCookie::read(line);
            let known = read.and_then(|read| Some((registered.iter().find(|c| c.name == read.name)?, read)));
            let Some((cookie, read)) = known else {
                taken.undeclared += 1;
                continue;
            };
            let keeps = cookie.form.accepts(read.value.as_bytes())
                && self.access.may_keep(cookie, &self.whom, self.own, lines);
            match read.line().filter(|_| keeps) {
                Some(line) => {
                    taken.undeclared += read.left_out;
                    out.push(line);
                }
                None => taken.path(format!("response.cookie.{}", cookie.name)),
            }
        }
        out
    }
}
