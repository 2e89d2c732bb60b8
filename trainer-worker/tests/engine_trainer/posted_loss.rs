//! What a worker posts as its held-out loss.

use trainer_worker::runner::micro_nats;

#[test]
fn a_loss_is_posted_in_micro_nats() {
    assert_eq!(micro_nats(0.0), Some(0));
    assert_eq!(micro_nats(3.763_470_4), Some(3_763_470));
    assert_eq!(micro_nats(4_294.967_295), Some(u32::MAX));
}

#[test]
fn a_loss_that_is_no_number_is_never_posted_as_one() {
    for loss in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.1, 4_295.0] {
        assert_eq!(micro_nats(loss), None, "{loss}");
    }
}
