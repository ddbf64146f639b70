//! Slots for flows, in the order in which they were last used.

/// No slot.
const NONE: u32 = u32::MAX;

/// A slab whose entries form a list from the longest idle to the last used one: both limits of the
/// flow table, their number and their idle time, take from its head, in constant time.
pub(super) struct Lru<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    head: u32,
    tail: u32,
}

struct Slot<T> {
    value: Option<T>,
    before: u32,
    after: u32,
}

impl<T> Lru<T> {
    pub(super) fn new() -> Lru<T> {
        Lru { slots: Vec::new(), free: Vec::new(), head: NONE, tail: NONE }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Adds a value as the last used one.
    pub(super) fn insert(&mut self, value: T) -> u32 {
        let slot = Slot { value: Some(value), before: NONE, after: NONE };
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                (self.slots.len() - 1) as u32
            }
        };
        self.link_last(index);
        index
    }

    pub(super) fn remove(&mut self, index: u32) -> Option<T> {
        let value = self.slots.get_mut(index as usize)?.value.take()?;
        self.unlink(index);
        self.free.push(index);
        Some(value)
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.value.as_ref()
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.value.as_mut()
    }

    /// Makes an entry the last used one.
    #[inline]
    pub(super) fn touch(&mut self, index: u32) {
        if self.tail != index {
            self.unlink(index);
            self.link_last(index);
        }
    }

    /// The entry that was not used for longest.
    #[inline]
    pub(super) fn longest_idle(&self) -> Option<(u32, &T)> {
        Some((self.head, self.get(self.head)?))
    }

    /// All entries, in no particular order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().enumerate().filter_map(|(i, slot)| Some((i as u32, slot.value.as_ref()?)))
    }

    fn link_last(&mut self, index: u32) {
        let tail = self.tail;
        let slot = &mut self.slots[index as usize];
        slot.before = tail;
        slot.after = NONE;
        match tail {
            NONE => self.head = index,
            _ => self.slots[tail as usize].after = index,
        }
        self.tail = index;
    }

    fn unlink(&mut self, index: u32) {
        let Slot { before, after, .. } = self.slots[index as usize];
        match before {
            NONE => self.head = after,
            _ => self.slots[before as usize].after = after,
        }
        match after {
            NONE => self.tail = before,
            _ => self.slots[after as usize].before = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_the_longest_idle() {
        let mut lru = Lru::new();
        let a = lru.insert("a");
        let b = lru.insert("b");
        let c = lru.insert("c");
        assert_eq!(lru.longest_idle(), Some((a, &"a")));
        lru.touch(a);
        assert_eq!(lru.longest_idle(), Some((b, &"b")));
        lru.touch(c);
        lru.touch(c);
        assert_eq!(lru.remove(b), Some("b"));
        assert_eq!(lru.remove(b), None);
        assert_eq!(lru.longest_idle(), Some((a, &"a")));
        assert_eq!(lru.insert("d"), b);
        lru.touch(a);
        assert_eq!(lru.longest_idle(), Some((c, &"c")));
        assert_eq!(lru.len(), 3);
        for index in [a, b, c] {
            lru.remove(index);
        }
        assert_eq!((lru.len(), lru.longest_idle()), (0, None));
    }
}
