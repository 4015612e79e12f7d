//! The smallest of many values that change one at a time.

/// A segment tree of minima: each node holds the smaller value of its two children.
#[derive(Debug, Clone)]
pub(super) struct MinSegmentTree {
    /// Node `i` has the children `2 i` and `2 i + 1`; the values are the last half.
    nodes: Vec<f64>,
    leaves: usize,
}

impl MinSegmentTree {
    /// `count` values, all infinite.
    pub(super) fn new(count: usize) -> Self {
        let leaves = count.next_power_of_two();
        Self {
            nodes: vec![f64::INFINITY; 2 * leaves],
            leaves,
        }
    }

    /// The smallest value.
    pub(super) fn min(&self) -> f64 {
        self.nodes[1]
    }

    /// Replaces one value.
    pub(super) fn set(&mut self, index: usize, value: f64) {
        let mut node = self.leaves + index;
        self.nodes[node] = value;
        while node > 1 {
            node /= 2;
            let smaller = self.nodes[2 * node].min(self.nodes[2 * node + 1]);
            if self.nodes[node] == smaller {
                break;
            }
            self.nodes[node] = smaller;
        }
    }

    /// Appends the indices of all values up to `bound`, in rising order.
    pub(super) fn up_to(&self, bound: f64, found: &mut Vec<u32>) {
        self.descend(1, bound, found);
    }

    fn descend(&self, node: usize, bound: f64, found: &mut Vec<u32>) {
        if self.nodes[node] > bound {
            return;
        }
        if node >= self.leaves {
            found.push((node - self.leaves) as u32);
        } else {
            self.descend(2 * node, bound, found);
            self.descend(2 * node + 1, bound, found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::mix;

    #[test]
    fn agrees_with_a_scan() {
        let mut tree = MinSegmentTree::new(37);
        let mut values = [f64::INFINITY; 37];
        for i in 0..2_000 {
            let index = (mix(i) % 37) as usize;
            values[index] = (mix(i + 10_000) % 100) as f64;
            tree.set(index, values[index]);
            assert_eq!(tree.min(), values.iter().copied().fold(f64::INFINITY, f64::min));
            let mut found = Vec::new();
            tree.up_to(50.0, &mut found);
            let scanned: Vec<u32> = (0..37).filter(|&v| values[v as usize] <= 50.0).collect();
            assert_eq!(found, scanned);
        }
    }
}
