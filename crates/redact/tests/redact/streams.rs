//! What is held back, what is copied, what is counted, and what overlaps.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use claviger_redact::{Needles, Redactor};

use crate::{PLAIN, SECRET, masked, masked_in_chunks};

fn push(redactor: &mut Redactor, text: &str) -> String {
    let pieces: Vec<Bytes> = redactor.push(&mut Bytes::copy_from_slice(text.as_bytes())).collect();
    assert!(pieces.iter().all(|piece| !piece.is_empty()));
    String::from_utf8(pieces.concat()).unwrap()
}

fn finish(redactor: &mut Redactor) -> String {
    String::from_utf8(redactor.finish().collect::<Vec<_>>().concat()).unwrap()
}

#[test]
fn only_what_may_begin_a_secret_is_held_back() {
    let mut redactor = Redactor::new(Needles::new(&["secret-key-1234567890"]));
    assert_eq!(push(&mut redactor, "event: one\n\n"), "event: one\n\n");
    assert_eq!(push(&mut redactor, "data: the secret"), "data: the ");
    assert_eq!(redactor.held(), 6);
    assert_eq!(push(&mut redactor, "-key-1234"), "");
    assert_eq!(push(&mut redactor, "!\n"), "secret-key-1234!\n");
    assert_eq!(push(&mut redactor, "secret-key-123456789"), "");
    assert_eq!(push(&mut redactor, "0."), "*********************.");
    assert_eq!(push(&mut redactor, "5 %7"), "5 ");
    assert_eq!(push(&mut redactor, "a %"), "%7a ");
    assert_eq!(finish(&mut redactor), "%");
    assert_eq!(redactor.found().collect::<Vec<_>>(), [(0, 1)]);
}

#[test]
fn what_is_not_touched_is_not_copied() {
    let body = Bytes::from(format!("{}{PLAIN}{}", "a ".repeat(5_000), "b ".repeat(5_000)));
    let mut redactor = Redactor::new(Needles::new(&[PLAIN]));
    let clean = body.slice(..10_000);
    let pieces: Vec<Bytes> = redactor.push(&mut clean.clone()).collect();
    assert_eq!(
        pieces.iter().map(|piece| (piece.as_ptr(), piece.len())).collect::<Vec<_>>(),
        [(clean.as_ptr(), 10_000)]
    );
    let pieces: Vec<Bytes> = redactor.push(&mut body.clone()).collect();
    let end = 10_000 + PLAIN.len();
    assert_eq!(pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [10_000, PLAIN.len(), 10_000]);
    assert_eq!(pieces[0].as_ptr(), body.as_ptr());
    assert_eq!(pieces[2].as_ptr(), body[end..].as_ptr());
}

#[test]
fn cut_anywhere_it_is_masked_in_every_form() {
    let hex = data_encoding::HEXUPPER.encode(SECRET.as_bytes());
    let base64 = STANDARD.encode(format!("user:{SECRET}"));
    let escaped: String = SECRET.encode_utf16().map(|unit| format!(r"\\u{unit:04x}")).collect();
    let percent: String = SECRET.bytes().map(|byte| format!("%2525{byte:02x}")).collect();
    let body = format!("[{SECRET}|{hex}|{base64}|{escaped}|{percent}]");
    let needles = Needles::new(&[SECRET]);
    let expected = masked_in_chunks(&needles, body.as_bytes(), &[body.len()]);
    let marks = expected.iter().filter(|byte| !b"*".contains(byte)).count();
    assert_eq!(marks, 6 + "dXNlcj=".len() - 1, "{}", String::from_utf8_lossy(&expected));
    for cut in 0..body.len() {
        assert_eq!(masked_in_chunks(&needles, body.as_bytes(), &[cut, body.len()]), expected, "cut at {cut}");
    }
}

#[test]
fn where_secrets_overlap_all_that_belongs_to_any_is_masked() {
    let secrets = ["abcdefgh", "abcdefghijkl", "ghijklmnop", "hijklmno"];
    assert_eq!(masked(&secrets, b"<abcdefgh>"), "<********>");
    assert_eq!(masked(&secrets, b"<abcdefghijklmnop>"), "<****************>");
    assert_eq!(masked(&secrets, b"<abcdefghijk>"), "<********ijk>");
    assert_eq!(masked(&secrets, b"<ghijklmno>"), "<g********>");
    assert_eq!(masked(&["abababab"], b"xabababababababay"), "x**************ay");
}

#[test]
fn each_secret_is_counted_by_its_index() {
    let mut redactor =
        Redactor::new(Needles::new(&["first secret", "short", "second secret", "first secret"]));
    assert_eq!(redactor.found().count(), 0);
    assert_eq!(redactor.mask_header(b"nothing"), None);
    assert_eq!(redactor.mask_header(b"x=second secret").unwrap(), b"x=*************");
    push(&mut redactor, "first secret, second%20secret, first sec");
    push(&mut redactor, "ret, first secre");
    finish(&mut redactor);
    push(&mut redactor, "t");
    let mut found: Vec<_> = redactor.found().collect();
    found.sort_unstable();
    assert_eq!(found, [(0, 2), (2, 2)]);
}

#[test]
fn nothing_is_printed() {
    let needles = Needles::new(&[PLAIN]);
    let mut redactor = Redactor::new(needles.clone());
    push(&mut redactor, &PLAIN[..12]);
    assert_eq!(format!("{needles:?} {redactor:?}"), "Needles(..) Redactor(..)");
}

/// What repeats itself often is searched in parts: all of it is masked, and parts of it may be.
#[test]
fn secrets_that_repeat_themselves_are_masked_to_the_end() {
    let base64 = STANDARD.encode("key".repeat(200));
    for secret in
        ["a".repeat(300), format!("{}the rest", "ab".repeat(100)), format!("b{}", "%25".repeat(99)), base64]
    {
        for written in [secret.clone(), data_encoding::HEXLOWER.encode(secret.as_bytes())] {
            let body = format!("<{written}>");
            assert_eq!(masked(&[&secret], body.as_bytes()), format!("<{}>", "*".repeat(written.len())));
        }
        let encoded = STANDARD.encode(format!("<?{secret}>"));
        let expected = masked(&[&secret], encoded.as_bytes());
        assert!(expected.starts_with("PD*"), "{expected}");
        assert!(expected.trim_start_matches("PD").trim_start_matches('*').len() <= 4, "{expected}");
        assert_eq!(masked(&[&secret], &secret.as_bytes()[..12]).as_bytes(), &secret.as_bytes()[..12]);
    }
}

/// What looks like one secret's beginning must not hide another's, which began before it and goes on escaped.
#[test]
fn a_beginning_does_not_hide_another() {
    let secrets = ["yZ%41 looks like this secret", "uvwxyZA is another secret!"];
    for before in 0..64 {
        let before = ".".repeat(before);
        let body = format!("{before}uvwxyZ%41 is another secret!");
        assert_eq!(masked(&secrets, body.as_bytes()), format!("{before}{}", "*".repeat(28)));
    }
}

/// Where very much might begin at once, what it may be is masked, and what follows is not.
#[test]
fn what_is_too_much_to_follow_is_masked() {
    let parts = |which: usize| {
        (0..60).map(move |at| if ((at * at + which * at) / 3).is_multiple_of(2) { "\"" } else { r#"\""# })
    };
    let secrets: Vec<String> = (0..40).map(|which| parts(which).chain(["!"]).collect()).collect();
    let needles = Needles::new(&secrets);
    for secret in &secrets[..3] {
        let lure = r#"\""#.repeat(300);
        let rest = "and so on, ".repeat(40);
        let body = format!("<{lure}{secret}>{rest}");
        for chunk in [body.len(), 1, 7] {
            let out = masked_in_chunks(&needles, body.as_bytes(), &[chunk]);
            let start = 1 + lure.len();
            assert!(out[start..start + secret.len()].iter().all(|byte| *byte == b'*'));
            assert!(out.ends_with(rest.as_bytes()) && out.starts_with(b"<"));
        }
    }
}

/// However long a chunk is, what is done with it at once is not.
#[test]
fn a_text_that_looks_like_secrets_everywhere_is_not_taken_at_once() {
    let secrets: Vec<String> = (10..110).map(|at| format!("{}{at}", "a".repeat(64))).collect();
    let needles = Needles::new(&secrets);
    let mut redactor = Redactor::new(needles.clone());
    let mut plain = Bytes::from("any text, ".repeat(40_000));
    redactor.push(&mut plain).for_each(drop);
    assert!(plain.is_empty(), "a usual text is");
    let mut chunk = Bytes::from("a".repeat(400_000));
    let mut times = 0;
    while !chunk.is_empty() {
        redactor.push(&mut chunk).for_each(drop);
        times += 1;
    }
    assert!(times > 100, "{times}");
    redactor.finish().for_each(drop);
}
