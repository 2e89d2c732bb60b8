//! scrypt and the secret box, against published vectors.

use openledger_client::secretbox::{open, seal, stretch, Cost};
use proptest::prelude::*;

#[test]
fn scrypt_gives_the_keys_of_rfc_7914() {
    for (password, salt, n, r, p, key) in [
        ("", "", 16, 1, 1, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"),
        (
            "password",
            "NaCl",
            1024,
            8,
            16,
            "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162",
        ),
        (
            "pleaseletmein",
            "SodiumChloride",
            16384,
            8,
            1,
            "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2",
        ),
    ] {
        let made = stretch(password.as_bytes(), salt.as_bytes(), Cost { n, p, r });
        assert_eq!(hex::encode(*made), key, "scrypt({password:?}, {salt:?})");
    }
}

/// The vector of NaCl's own `secretbox` test.
#[test]
fn the_secret_box_gives_the_bytes_of_nacl() {
    let bytes = |text: &str| hex::decode(text).expect("hexadecimal");
    let key = bytes("1b27556473e985d462cd51197a9a46c76009549eac6474f206c4ee0844f68389");
    let nonce = bytes("69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37");
    let message = bytes(
        "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c\
         61296cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f\
         21af1fde048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705",
    );
    let sealed = bytes(
        "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1\
         186ac0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab9321645\
         48e526ae90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b\
         1f654cb45a74e355a5",
    );
    let key: [u8; 32] = key.try_into().expect("32 bytes");
    let nonce: [u8; 24] = nonce.try_into().expect("24 bytes");
    assert_eq!(hex::encode(seal(&key, &nonce, &message)), hex::encode(&sealed));
    assert_eq!(open(&key, &nonce, &sealed).as_deref(), Some(&message));
}

proptest! {
    #[test]
    fn what_was_sealed_opens_and_nothing_else_does(
        key: [u8; 32],
        nonce: [u8; 24],
        message in prop::collection::vec(any::<u8>(), 0..300),
        place: prop::sample::Index,
        bit in 0..8u8,
    ) {
        let mut sealed = seal(&key, &nonce, &message);
        let opened = open(&key, &nonce, &sealed);
        prop_assert_eq!(opened.as_deref(), Some(&message));
        let place = place.index(sealed.len());
        sealed[place] ^= 1 << bit;
        prop_assert!(open(&key, &nonce, &sealed).is_none());
        let mut other = key;
        other[place % 32] ^= 1 << bit;
        sealed[place] ^= 1 << bit;
        prop_assert!(open(&other, &nonce, &sealed).is_none());
    }
}
