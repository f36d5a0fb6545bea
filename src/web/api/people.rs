//! Accounts and tokens by the API.

use std::sync::Arc;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{Endpoint, schema_of};
use crate::base::Timestamp;
use crate::web::access::{self, Account, AccountChange, NewToken, Role, Token};
use crate::web::app::App;
use crate::web::ask::Ask;
use crate::web::fault::Fault;
use crate::web::reply::Reply;

pub(super) const ME: Endpoint = Endpoint::new("access", "Say who asks", 200, schema_of::<Me>);
pub(super) const ACCOUNTS: Endpoint =
    Endpoint::new("access", "List accounts", 200, schema_of::<List<AccountShown>>);
pub(super) const CREATE_ACCOUNT: Endpoint =
    Endpoint::new("access", "Make an account", 201, schema_of::<AccountShown>)
        .with_body(schema_of::<NewAccount>);
pub(super) const CHANGE_ACCOUNT: Endpoint =
    Endpoint::new("access", "Change an account; its sessions end", 200, schema_of::<AccountShown>)
        .with_body(schema_of::<ChangedAccount>);
pub(super) const TOKENS: Endpoint = Endpoint::new(
    "access",
    "List one's own tokens; all of them for an admin",
    200,
    schema_of::<List<TokenShown>>,
);
pub(super) const CREATE_TOKEN: Endpoint =
    Endpoint::new("access", "Make a token; its text is told this once", 201, schema_of::<TokenMade>)
        .with_body(schema_of::<TokenWanted>);
pub(super) const REVOKE_TOKEN: Endpoint =
    Endpoint::new("access", "Take a token back", 200, schema_of::<TokenShown>);

/// Who asks.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Me {
    /// The account.
    name: String,
    /// What may be done with this session or token.
    role: Role,
}

/// Everything of a short list.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct List<T> {
    /// What is in it.
    pub(super) items: Vec<T>,
}

/// An account, without what is secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AccountShown {
    /// The name.
    name: String,
    /// What it may do.
    role: Role,
    /// Whether it may sign in no more.
    is_disabled: bool,
    /// When it was made.
    #[schemars(with = "String")]
    created_at: Timestamp,
}

impl From<Account> for AccountShown {
    fn from(account: Account) -> Self {
        let Account { name, role, is_disabled, created_at, .. } = account;
        Self { name, role, is_disabled, created_at }
    }
}

/// An account that is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAccount {
    /// 1 to 60 letters, digits, spaces, or `. _ - @`.
    name: String,
    /// What it may do.
    role: Role,
    /// At least 15 characters.
    password: String,
}

/// What is to be changed of an account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangedAccount {
    /// Another role.
    #[serde(default)]
    role: Option<Role>,
    /// Another password.
    #[serde(default)]
    password: Option<String>,
    /// Whether it may sign in no more.
    #[serde(default)]
    is_disabled: Option<bool>,
}

/// A token that is to be made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenWanted {
    /// What it is for.
    name: String,
    /// What it may do: no more than its owner.
    role: Role,
    /// When it ends by itself.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    expires_at: Option<Timestamp>,
}

/// A token, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TokenShown {
    /// Its identifier.
    token_id: String,
    /// What it is for.
    name: String,
    /// Whose it is.
    account: String,
    /// What it may do.
    role: Role,
    /// When it was made.
    #[schemars(with = "String")]
    created_at: Timestamp,
    /// When it ends by itself.
    #[schemars(with = "Option<String>")]
    expires_at: Option<Timestamp>,
    /// When it was taken back.
    #[schemars(with = "Option<String>")]
    revoked_at: Option<Timestamp>,
}

impl From<Token> for TokenShown {
    fn from(token: Token) -> Self {
        let Token { token_id, name, account, role, created_at, expires_at, revoked_at, .. } = token;
        Self { token_id, name, account, role, created_at, expires_at, revoked_at }
    }
}

/// A new token with its text.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct TokenMade {
    /// What is sent as `Authorization: Bearer …`; it is kept nowhere.
    text: String,
    /// The token.
    token: TokenShown,
}

pub(super) fn me(_: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let visitor = ask.visitor()?;
    Reply::json(StatusCode::OK, &Me { name: visitor.name.clone(), role: visitor.role })
}

pub(super) fn accounts(app: &Arc<App>, _: &Ask) -> Result<Reply, Fault> {
    let items: Vec<AccountShown> = access::accounts(app.store())?.into_iter().map(Into::into).collect();
    Reply::json(StatusCode::OK, &List { items })
}

pub(super) fn create_account(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let new: NewAccount = ask.json()?;
    let made = (new.name.as_str(), new.role, new.password.as_str());
    let account = access::create(app.store(), made, &ask.visitor()?.name, ask.now)?;
    Reply::json(StatusCode::CREATED, &AccountShown::from(account))
}

pub(super) fn change_account(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let ChangedAccount { role, password, is_disabled } = ask.json()?;
    let change = AccountChange { role, password, is_disabled };
    let by = &ask.visitor()?.name;
    let account = access::change(app.store(), ask.param("name"), &change, by, ask.now)?;
    Reply::json(StatusCode::OK, &AccountShown::from(account))
}

pub(super) fn tokens(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let items: Vec<TokenShown> =
        access::tokens(app.store(), ask.visitor()?)?.into_iter().map(Into::into).collect();
    Reply::json(StatusCode::OK, &List { items })
}

pub(super) fn create_token(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let TokenWanted { name, role, expires_at } = ask.json()?;
    let new = NewToken { name, role, expires_at };
    let (text, token) = access::create_token(app.store(), &new, ask.visitor()?, ask.now)?;
    Reply::json(StatusCode::CREATED, &TokenMade { text, token: token.into() })
}

pub(super) fn revoke_token(app: &Arc<App>, ask: &Ask) -> Result<Reply, Fault> {
    let token = access::revoke_token(app.store(), ask.param("token_id"), ask.visitor()?, ask.now)?;
    Reply::json(StatusCode::OK, &TokenShown::from(token))
}
