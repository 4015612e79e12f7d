//! The largest two of many numbers, while single ones change.

/// A tree of pairs: each node has the largest two below it.
#[derive(Debug, Clone)]
pub(crate) struct TopTwo {
    leaves: usize,
    nodes: Vec<[f64; 2]>,
}

impl TopTwo {
    /// So many numbers, all 0.
    pub(crate) fn new(count: usize) -> Self {
        let leaves = count.max(1).next_power_of_two();
        Self {
            leaves,
            nodes: vec![[0.0; 2]; 2 * leaves],
        }
    }

    /// Numbers that there is room for.
    pub(crate) fn count(&self) -> usize {
        self.leaves
    }

    pub(crate) fn get(&self, index: usize) -> f64 {
        self.nodes[self.leaves + index][0]
    }

    pub(crate) fn set(&mut self, index: usize, value: f64) {
        let mut at = self.leaves + index;
        self.nodes[at][0] = value;
        while at > 1 {
            at /= 2;
            let both = merge(self.nodes[2 * at], self.nodes[2 * at + 1]);
            if both == self.nodes[at] {
                return;
            }
            self.nodes[at] = both;
        }
    }

    /// The largest and the second largest.
    pub(crate) fn largest(&self) -> [f64; 2] {
        self.nodes[1]
    }

    /// Where the largest is.
    pub(crate) fn place_of_largest(&self) -> usize {
        let mut at = 1;
        while at < self.leaves {
            at = 2 * at + usize::from(self.nodes[2 * at][0] < self.nodes[2 * at + 1][0]);
        }
        at - self.leaves
    }
}

fn merge(a: [f64; 2], b: [f64; 2]) -> [f64; 2] {
    if a[0] >= b[0] {
        [a[0], a[1].max(b[0])]
    } else {
        [b[0], b[1].max(a[0])]
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::rng::stream;

    #[test]
    fn follows_a_sorted_list() {
        let mut random = stream(1, "top", 0);
        for count in [1, 2, 3, 17] {
            let (mut top, mut plain) = (TopTwo::new(count), vec![0.0; count]);
            for _ in 0..200 {
                let index = random.random_range(0..count);
                plain[index] = f64::from(random.random_range(0..20_u32));
                top.set(index, plain[index]);
                let mut sorted = plain.clone();
                sorted.sort_by(|a, b| b.total_cmp(a));
                assert_eq!(top.largest(), [sorted[0], sorted.get(1).copied().unwrap_or(0.0)]);
                assert_eq!(plain[top.place_of_largest()], sorted[0]);
            }
        }
    }
}
