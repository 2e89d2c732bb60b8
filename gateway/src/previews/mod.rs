//! What curators will measure of a file, before it is submitted: canonical text, units, what is left out,
//! and why a file would be refused. By the reader that curators use, in its bounded child process.

pub mod api;
