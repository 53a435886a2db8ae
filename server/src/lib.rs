//! The server of Pattoo, one file a concept.
//!
//! What agents post goes one way: receive, [`store`], and from there onto the
//! answers of GraphQL and REST. Only [`store`] knows SQL.

pub mod about;
pub mod admin;
pub mod config;
pub mod graphql;
pub mod intake;
pub mod password;
mod percent;
mod raw_samples;
pub mod rest;
pub mod store;
pub mod translations;
pub mod web;
