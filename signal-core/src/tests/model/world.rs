pub(super) struct World;
impl World {
    pub(super) fn play(_: &[super::Step], _: &[super::Fate], _: &[super::Fate], _: usize) -> usize {
        0
    }
}
