//! Who may ask, and who may change: nobody is asked for a name while there is no
//! user; from the first on, whoever changes anything must be signed in, and, unless
//! the configuration says otherwise, whoever reads.
//!
//! | file | concept |
//! |---|---|
//! | `table` | the sessions of those who are signed in |
//! | `tries` | how often a password may be tried |
//! | `origin` | whether a page of another site sent a request |
//! | `operator` | the key of `pattoo_cli` |

pub mod operator;
mod origin;
mod table;
mod tries;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pattoo_common::http_server::{Answer, Method, Request, error, json, with_header};
use pattoo_common::quoted::quoted;
use serde::Deserialize;

use crate::password;
use crate::store::{Select, Store, StoreError, User};
use operator::OperatorKey;
use pattoo_common::complaints::Complaints;
use table::{LONGEST, SignedIn, Table};

pub use origin::is_cross_site;
pub use tries::Tries;

/// Where a session begins and ends.
pub const PATH: &str = "/pattoo/api/v1/web/session";
/// Methods of [`PATH`].
pub const METHODS: &str = "GET, HEAD, POST, DELETE, OPTIONS";
const COOKIE: &str = "pattoo_session";
/// Bytes of a name or password that are looked at.
const MAX_CREDENTIALS_BYTES: usize = 4_096;
/// Sign-ins whose passwords are looked at or wait for that: fewer than there are
/// threads that answer, so that others are answered meanwhile.
const MAX_AT_ONCE: usize = 2;

/// Lines about sign-ins in the log in each [`LINES_TIME`].
const LINES: u32 = 60;
/// See [`LINES`].
const LINES_TIME: Duration = Duration::from_mins(1);

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// Ask.
    pub read: bool,
    /// Change.
    pub change: bool,
}

impl Rights {
    /// Everything.
    pub const ALL: Self = Self { read: true, change: true };
}

/// Who is who.
pub struct Sessions {
    store: Arc<Store>,
    table: Table,
    tries: Arc<Tries>,
    looking: AtomicUsize,
    operator: Option<OperatorKey>,
    reading_needs_sign_in: bool,
    complaints: Complaints,
}

/// What a person signs in with.
#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

impl Sessions {
    /// The sessions of the users of a store.
    pub fn new(store: Arc<Store>, reading_needs_sign_in: bool) -> Self {
        let operator = OperatorKey::write(store.folder());
        if let Err(fault) = &operator {
            let folder = store.folder().display();
            log::error!("{folder}: no key for pattoo_cli could be written: {fault}");
        }
        Self {
            store,
            table: Table::default(),
            tries: Arc::default(),
            looking: AtomicUsize::new(0),
            operator: operator.ok(),
            reading_needs_sign_in,
            complaints: Complaints::new(LINES, LINES_TIME),
        }
    }

    /// What may be done with a request that shows this key of an operator, or
    /// none.
    pub fn rights(&self, request: &Request, key: Option<&str>) -> Result<Rights, StoreError> {
        let is_operator =
            self.operator.as_ref().zip(key).is_some_and(|(known, shown)| known.is(shown));
        if is_operator || self.user(request)?.is_some() || self.is_open()? {
            return Ok(Rights::ALL);
        }
        Ok(Rights { read: !self.reading_needs_sign_in, change: false })
    }

    /// Whether there is no user, not even one who is disabled: then everyone may do
    /// everything.
    fn is_open(&self) -> Result<bool, StoreError> {
        Ok(self.store.count::<User>(&Select::default())? == 0)
    }

    /// Who is signed in.
    fn user(&self, request: &Request) -> Result<Option<User>, StoreError> {
        let Some(secret) = secret_of(request) else { return Ok(None) };
        let Some(who) = self.table.find(secret, Instant::now()) else { return Ok(None) };
        let user: Option<User> = self.store.row(who.user)?;
        let is_as_was = |user: &User| user.enabled && user.ts_modified == who.changed_ms;
        let user = user.filter(is_as_was);
        if user.is_none() {
            self.table.end(secret);
        }
        Ok(user)
    }

    /// Answers at [`PATH`].
    pub fn answer(&self, request: &Request) -> Answer {
        if matches!(request.method, Method::Post | Method::Delete) && is_cross_site(request) {
            return error(403, "a page of another site sent this");
        }
        let answer = match request.method {
            Method::Get | Method::Head => self.tell(request),
            Method::Post => self.sign_in(request),
            Method::Delete => {
                if let Some(secret) = secret_of(request) {
                    self.table.end(secret);
                }
                let gone = Answer::from_data([]).with_status_code(204);
                Ok(with_header(gone, "Set-Cookie", &cookie(request, "", Duration::ZERO)))
            }
            // The others have been answered by who sent this here.
            _ => Ok(error(405, METHODS)),
        };
        let answer = answer.unwrap_or_else(|fault| {
            with_header(error(503, &fault.to_string()), "Retry-After", "5")
        });
        with_header(answer, "Cache-Control", "no-store")
    }

    fn tell(&self, request: &Request) -> Result<Answer, StoreError> {
        let user = self.user(request)?;
        self.told(user.as_ref())
    }

    fn told(&self, user: Option<&User>) -> Result<Answer, StoreError> {
        let open = user.is_none() && self.is_open()?;
        let kept = self.store.retention();
        let kept_days = kept.raw.days.max(kept.five_minutes.days).max(kept.one_hour.days);
        let body = serde_json::json!({
            "open": open,
            "user": user.map(|user| serde_json::json!({
                "username": user.username,
                "firstName": user.first_name,
                "lastName": user.last_name,
                "role": user.role.to_string(),
                "idxUser": user.idx_user.to_string(),
            })),
            "mayChange": open || user.is_some(),
            "version": env!("CARGO_PKG_VERSION"),
            "retentionDays": kept_days,
        });
        Ok(json(200, body.to_string()))
    }

    fn sign_in(&self, request: &Request) -> Result<Answer, StoreError> {
        let kind = request.header("content-type").unwrap_or_default();
        if !kind
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case("application/json")
        {
            return Ok(error(415, "application/json is wanted"));
        }
        let wanted = "{\"username\": ..., \"password\": ...} is wanted";
        if request.body.len() > MAX_CREDENTIALS_BYTES {
            return Ok(error(413, wanted));
        }
        let Ok(Credentials { username, password }) = serde_json::from_slice(&request.body) else {
            return Ok(error(400, wanted));
        };
        let address = request.peer.ip();
        if let Err(wait) = self.tries.take(&username, address, Instant::now()) {
            self.complaints.write(|| {
                format!(
                    "sign-in of {} from {address} is put off: too many tries",
                    quoted(&username)
                )
            });
            return Ok(later("too many tries; wait a little", wait));
        }
        let Some(_place) = Place::take(&self.looking) else {
            self.tries.give_back(&username, address);
            return Ok(later("others are signing in; try again", Duration::from_secs(1)));
        };
        let known = self.store.password_hash(&username)?;
        let right = password::is_right(&password, known.as_ref().map(|(_, _, hash)| hash.as_str()));
        let user: Option<User> = match known.filter(|_| right) {
            // Who was changed while the password was looked at has another one by now.
            Some((number, changed_ms, _)) => {
                self.store.row(number)?.filter(|user: &User| user.ts_modified == changed_ms)
            }
            None => None,
        };
        let Some(user) = user else {
            self.complaints
                .write(|| format!("sign-in of {} from {address}: not right", quoted(&username)));
            return Ok(error(401, "user name or password is not right"));
        };
        self.tries.give_back(&username, address);
        let who = SignedIn { user: user.idx_user, changed_ms: user.ts_modified };
        let secret = match self.table.begin(who, Instant::now()) {
            Ok(secret) => secret,
            Err(fault) => return Ok(error(500, &format!("/dev/urandom: {fault}"))),
        };
        // Of a browser that was signed in as somebody else.
        if let Some(former) = secret_of(request) {
            self.table.end(former);
        }
        log::info!("{} signed in from {address}", quoted(&username));
        let answer = self.told(Some(&user))?;
        Ok(with_header(answer, "Set-Cookie", &cookie(request, &secret, LONGEST)))
    }

    /// What was tried of late, for those who look at passwords elsewhere.
    pub fn tries(&self) -> Arc<Tries> {
        Arc::clone(&self.tries)
    }
}

/// One of [`MAX_AT_ONCE`].
struct Place<'p>(&'p AtomicUsize);

impl<'p> Place<'p> {
    fn take(taken: &'p AtomicUsize) -> Option<Self> {
        if taken.fetch_add(1, Ordering::AcqRel) < MAX_AT_ONCE {
            return Some(Self(taken));
        }
        taken.fetch_sub(1, Ordering::AcqRel);
        None
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn later(reason: &str, wait: Duration) -> Answer {
    let seconds = wait.as_millis().div_ceil(1_000).max(1);
    with_header(error(429, reason), "Retry-After", &seconds.to_string())
}

/// The secret of the request's session.
fn secret_of(request: &Request) -> Option<&str> {
    let cookies = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("cookie"));
    let mut pairs = cookies.flat_map(|(_, line)| line.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

/// The cookie that keeps a session in a browser for so long. Where the browser's
/// way here is https, it is never sent in the clear.
fn cookie(request: &Request, secret: &str, age: Duration) -> String {
    let says_https = |name: &str, wanted: &str| {
        request.header(name).is_some_and(|value| value.to_ascii_lowercase().starts_with(wanted))
    };
    // Who lies about it harms only himself.
    let by_https = says_https("x-forwarded-proto", "https") || says_https("origin", "https://");
    let secure = if by_https { "; Secure" } else { "" };
    format!(
        "{COOKIE}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}{secure}",
        age.as_secs()
    )
}
