//! What readers get: files that the chain names and no others, as downloads that are nothing else.

use super::door::{bytes, hash, Answer, Door};
use openledger_content::{block_id, Bytes, ContentStore, IpfsNode, NodeConfig};
use openledger_gateway::uploads::named::Role;
use openledger_primitives::{ContentCodec, ContentId, MediaType};

/// Blocks of a CARv1, each of which has its id, and the root.
fn read_car(mut rest: &[u8]) -> (ContentId, Vec<(ContentId, Vec<u8>)>) {
    fn section<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
        if rest.is_empty() {
            return None;
        }
        let (mut length, mut shift) = (0_usize, 0);
        loop {
            let byte = rest[0];
            *rest = &rest[1..];
            length |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let (section, after) = rest.split_at(length);
        *rest = after;
        Some(section)
    }
    let header = section(&mut rest).unwrap();
    assert!(header.starts_with(b"\xa2\x65roots\x81\xd8\x2a\x58\x25\x00"));
    assert!(header.ends_with(b"\x67version\x01"));
    let root = ContentId::from_bytes(&header[13..49]).unwrap();
    let mut blocks = Vec::new();
    while let Some(section) = section(&mut rest) {
        let id = ContentId::from_bytes(&section[..36]).unwrap();
        assert_eq!(block_id(id.codec(), &section[36..]), id);
        blocks.push((id, section[36..].to_vec()));
    }
    (root, blocks)
}

fn is_harmless(answer: &Answer) {
    assert_eq!(answer.header("content-security-policy"), Some("sandbox"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let disposition = answer.header("content-disposition").unwrap();
    assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_file_is_given_as_car_and_its_root_as_raw_block() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let file = bytes(1, 2_500_000);
    door.put(&bearer, &file).await.ok();
    let content = door.chain.name(&file, MediaType::Txt, Role::Accepted);

    let car = door.ask("GET", &format!("/ipfs/{content}?format=car"), &[], &[]).await;
    assert_eq!(car.status, 200);
    is_harmless(&car);
    let kind = car.header("content-type").unwrap();
    assert_eq!(kind, "application/vnd.ipld.car; version=1; order=dfs; dups=n");
    let (root, blocks) = read_car(&car.body);
    assert_eq!(root, content);
    assert_eq!(blocks[0].0, content);
    let leaves = blocks.iter().filter(|(id, _)| id.codec() == ContentCodec::Raw);
    assert_eq!(leaves.flat_map(|(_, block)| block.clone()).collect::<Vec<u8>>(), file);

    let accept = [("Accept", "text/html, application/vnd.ipld.raw;q=0.9")];
    let raw = door.ask("GET", &format!("/ipfs/{content}"), &accept, &[]).await;
    is_harmless(&raw);
    assert_eq!((raw.status, &raw.body), (200, &blocks[0].1));
    let tag = raw.header("etag").unwrap();
    let known = [("If-None-Match", tag)];
    let raw = door.ask("GET", &format!("/ipfs/{content}?format=raw"), &known, &[]).await;
    assert_eq!(raw.status, 304);
    let scope = format!("/ipfs/{content}?format=car&dag-scope=block");
    let block = door.ask("GET", &scope, &[], &[]).await;
    assert_eq!(read_car(&block.body).1.len(), 1);
    let head = door.ask("HEAD", &format!("/ipfs/{content}?format=car"), &[], &[]).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_chain_does_not_name_is_given_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let door = Door::open(folder.path(), &[]).await;
    let (_, bearer) = door.contributor("//Alice").await;
    let file = bytes(1, 2_500_000);
    let state = door.put(&bearer, &file).await.ok();
    let content = state["content"].as_str().unwrap();
    let missing = (404, "not_found".to_owned());
    let path = format!("/ipfs/{content}?format=car");
    assert_eq!(door.ask("GET", &path, &[], &[]).await.error(), missing);
    let path = format!("/v1/files/{}", hash(&file));
    assert_eq!(door.ask("GET", &path, &[], &[]).await.error(), missing);
    let path = format!("/v1/previews/{}?media=txt", hash(&file));
    assert_eq!(door.ask("GET", &path, &[], &[]).await.error(), missing);

    // Nor a block below a root that it names.
    let content = door.chain.name(&file, MediaType::Txt, Role::Accepted);
    let car = door.ask("GET", &format!("/ipfs/{content}?format=car"), &[], &[]).await;
    let leaf = read_car(&car.body).1[1].0;
    let path = format!("/ipfs/{leaf}?format=raw");
    assert_eq!(door.ask("GET", &path, &[], &[]).await.error(), missing);
    for (path, status) in [
        (format!("/ipfs/{content}"), 406),
        (format!("/ipfs/{content}?format=tar"), 406),
        (format!("/ipfs/{content}?format=car&dag-scope=some"), 400),
        (format!("/ipfs/{content}?format=car&entity-bytes=0:9"), 400),
        (format!("/ipfs/{content}?format=car&car-version=2"), 400),
        ("/ipfs/QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG?format=raw".to_owned(), 400),
        ("/ipfs/..%2f..%2fetc%2fpasswd?format=raw".to_owned(), 400),
        (format!("/ipfs/{content}/sub?format=raw"), 404),
    ] {
        assert_eq!(door.ask("GET", &path, &[], &[]).await.status, status, "{path}");
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_peers_are_fetched_checked_and_leave_room_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let listen = "/ip4/127.0.0.1/tcp/0".parse().unwrap();
    let peer = NodeConfig::new(folder.path().join("peer")).listening([listen]);
    let peer = IpfsNode::start(peer).await.unwrap();
    let address = peer.listen_addresses()[0].to_string();
    let arguments = ["--ipfs-peer", &address, "--storage", "5000000"];
    let door = Door::open(&folder.path().join("gateway"), &arguments).await;
    let (first, second) = (bytes(1, 2_000_000), bytes(2, 4_000_000));
    for file in [&first, &second] {
        peer.add_bytes(Bytes::copy_from_slice(file)).await.unwrap();
        door.chain.name(file, MediaType::Pdf, Role::Pending);
    }
    for file in [&first, &second, &first] {
        let answer = door.ask("GET", &format!("/v1/files/{}", hash(file)), &[], &[]).await;
        is_harmless(&answer);
        let disposition = answer.header("content-disposition").unwrap();
        assert!(disposition.ends_with(".pdf\""), "{disposition}");
        assert!(answer.body == *file);
        let kept = size_of(&folder.path().join("gateway/ipfs/blocks"));
        assert!(kept < 4_200_000, "{kept} bytes are kept");
    }
    // What a submission names by another hash or size than the bytes have is not shown.
    let other = bytes(3, 10);
    let content = openledger_content::describe(first.as_slice()).unwrap().content;
    door.chain.name_as(&other, content);
    let answer = door.ask("GET", &format!("/v1/files/{}", hash(&other)), &[], &[]).await;
    assert_eq!(answer.error(), (502, "wrong_content".to_owned()));
    // A file that fits nowhere is said as such.
    let large = bytes(4, 6_000_000);
    door.chain.name(&large, MediaType::Pdf, Role::Pending);
    let answer = door.ask("GET", &format!("/v1/files/{}", hash(&large)), &[], &[]).await;
    assert_eq!(answer.error(), (507, "storage_full".to_owned()));
    peer.shutdown().await;
    door.close().await;
}

fn size_of(folder: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { size_of(&path) } else { path.metadata().unwrap().len() })
        .sum()
}
