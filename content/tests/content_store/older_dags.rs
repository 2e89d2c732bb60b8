//! Trees that other and older tools made are read, whatever their layout.

use crate::support::{
    dag::{dag_pb, file_node, put_dag_pb, put_raw, unixfs, version_0, FILE, RAW},
    directory, run,
};
use openledger_content::{BlockStore, ContentStore, Limits, Wanted};
use openledger_primitives::ContentId;

fn reads(store: &BlockStore, root: ContentId, expected: &[u8]) {
    let wanted = Wanted { size: Some(expected.len() as u64), ..Wanted::new(root) };
    let read = run(store.fetch_bytes(&wanted, &Limits::default())).unwrap();
    assert_eq!(read, expected);
}

#[test]
fn leaves_in_dag_pb_and_links_as_cid_version_0_are_read() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    for kind in [FILE, RAW] {
        let first = put_dag_pb(&store, &dag_pb(&[], &unixfs(kind, b"hello ", 6, &[])));
        let second = put_dag_pb(&store, &dag_pb(&[], &unixfs(kind, b"world", 5, &[])));
        let root = file_node(&[(version_0(&first), 6), (version_0(&second), 5)]);
        reads(&store, put_dag_pb(&store, &root), b"hello world");
    }
}

#[test]
fn a_small_file_in_one_dag_pb_node_is_read() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    reads(&store, put_dag_pb(&store, &dag_pb(&[], &unixfs(FILE, b"tiny", 4, &[]))), b"tiny");
    reads(&store, put_dag_pb(&store, &dag_pb(&[], &unixfs(FILE, b"", 0, &[]))), b"");
}

#[test]
fn data_before_children_is_read_in_order_at_any_depth() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    let leaf = put_raw(&store, b"cd");
    let links = [leaf.to_bytes().to_vec()];
    let inner = put_dag_pb(&store, &dag_pb(&links, &unixfs(FILE, b"b", 3, &[2])));
    let last = put_raw(&store, b"e");
    let links = [inner.to_bytes().to_vec(), last.to_bytes().to_vec()];
    let root = put_dag_pb(&store, &dag_pb(&links, &unixfs(FILE, b"a", 5, &[3, 1])));
    reads(&store, root, b"abcde");
}

#[test]
fn packed_sizes_and_unixfs_1_5_metadata_are_read() {
    use crate::support::dag::{bytes_field, number_field, varint};
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    let leaf = put_raw(&store, b"xyz");
    let data = [
        number_field(1, FILE),
        number_field(3, 6),
        bytes_field(4, &[varint(3), varint(3)].concat()),
        number_field(7, 0o644),
        bytes_field(8, &number_field(1, 1_700_000_000)),
    ]
    .concat();
    let links = [leaf.to_bytes().to_vec(), leaf.to_bytes().to_vec()];
    reads(&store, put_dag_pb(&store, &dag_pb(&links, &data)), b"xyzxyz");
}

#[test]
fn nodes_of_174_and_of_1024_links_are_read() {
    let directory = directory();
    let store = BlockStore::open(directory.path()).unwrap();
    for count in [174, 1024, 4096] {
        let leaf = put_raw(&store, b"ab");
        let root = file_node(&vec![(leaf.to_bytes().to_vec(), 2); count]);
        reads(&store, put_dag_pb(&store, &root), &b"ab".repeat(count));
    }
}
