//! Reading files through the public doors: canonical text, documents, what is left out.

#[path = "content_documents/canonical.rs"]
mod canonical;
#[path = "content_documents/documents.rs"]
mod documents;
#[path = "content_documents/media.rs"]
mod media;
