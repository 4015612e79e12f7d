//! Equitable edge colouring of bipartite multigraphs, in about O(m log c) for m edges and c colours.
//!
//! A vertex of degree d is cut into vertices of degree c and one with the rest, and edges are added
//! until the graph is c-regular. A regular graph of even degree falls apart into two halves of half
//! the degree by walking its circuits (Gabow 1976); one of odd degree gives up a perfect matching, found by
//! random walks in O(n log n) (Goel, Kapralov, Khanna 2010). What remains at degree one is a colour.

use rand::Rng;

use crate::rng::{Stream, index_below};

const NONE: u32 = u32::MAX;

/// An edge between a left and a right vertex, with its number.
#[derive(Debug, Clone, Copy)]
struct Edge {
    left: u32,
    right: u32,
    number: u32,
}

/// Colours the edges (left vertex, right vertex) so that at every vertex each of `colors` colours
/// (at least 1) is on either floor or ceil of degree / colors edges. Colours are counted from 0.
pub(super) fn color_equitably(edges: &[(u32, u32)], colors: u32, random: &mut Stream) -> Vec<u32> {
    let (left, lefts) = cut_vertices(edges.iter().map(|edge| edge.0), colors);
    let (right, rights) = cut_vertices(edges.iter().map(|edge| edge.1), colors);
    let mut regular: Vec<Edge> = (0..)
        .zip(left.iter().zip(&right))
        .map(|(number, (&left, &right))| Edge { left, right, number })
        .collect();
    let vertices = lefts.max(rights);
    let missing_left = missing(&left, vertices, colors);
    let missing_right = missing(&right, vertices, colors);
    regular.extend(missing_left.zip(missing_right).map(|(left, right)| Edge {
        left,
        right,
        number: NONE,
    }));
    let mut coloring = Coloring {
        colors: vec![0; edges.len()],
        next: 0,
        vertices,
        random,
    };
    coloring.color(regular, colors);
    coloring.colors
}

/// Numbers of the parts of at most `degree` edges that the ends of the edges fall into, in the order
/// of the edges, and how many parts there are.
fn cut_vertices(ends: impl Iterator<Item = u32> + Clone, degree: u32) -> (Vec<u32>, u32) {
    let vertices = ends.clone().max().map_or(0, |last| last as usize + 1);
    // Edges seen of each vertex, and the part that takes its next ones.
    let mut seen = vec![(0, NONE); vertices];
    let mut parts = 0;
    let cut = |end: u32| {
        let (count, part) = &mut seen[end as usize];
        if *count % degree == 0 {
            *part = parts;
            parts += 1;
        }
        *count += 1;
        *part
    };
    (ends.map(cut).collect(), parts)
}

/// Every vertex as often as it lacks an edge to `degree`.
fn missing(ends: &[u32], vertices: u32, degree: u32) -> impl Iterator<Item = u32> {
    let mut lacks = vec![degree; vertices as usize];
    for &end in ends {
        lacks[end as usize] -= 1;
    }
    (0..)
        .zip(lacks)
        .flat_map(|(vertex, lack)| std::iter::repeat_n(vertex, lack as usize))
}

struct Coloring<'r> {
    /// By number of edge.
    colors: Vec<u32>,
    /// Colours given so far.
    next: u32,
    vertices: u32,
    random: &'r mut Stream,
}

impl Coloring<'_> {
    /// Colours a regular graph of the given degree with as many new colours.
    fn color(&mut self, mut edges: Vec<Edge>, degree: u32) {
        match degree {
            0 => {}
            1 => self.finish(&edges),
            _ if degree.is_multiple_of(2) => {
                let second = halve(&mut edges, self.vertices);
                self.color(edges, degree / 2);
                self.color(second, degree / 2);
            }
            _ => {
                let matching = self.take_matching(&mut edges, degree);
                self.finish(&matching);
                self.color(edges, degree - 1);
            }
        }
    }

    fn finish(&mut self, edges: &[Edge]) {
        for edge in edges.iter().filter(|edge| edge.number != NONE) {
            self.colors[edge.number as usize] = self.next;
        }
        self.next += 1;
    }

    /// Removes a perfect matching from a regular graph.
    fn take_matching(&mut self, edges: &mut Vec<Edge>, degree: u32) -> Vec<Edge> {
        edges.sort_unstable_by_key(|edge| edge.left);
        let mut walks = Walks {
            edges,
            degree,
            of_left: vec![NONE; self.vertices as usize],
            of_right: vec![NONE; self.vertices as usize],
            step_of: vec![NONE; self.vertices as usize],
        };
        for left in 0..self.vertices {
            walks.augment(left, self.random);
        }
        let matched = walks.of_left;
        let mut matching = Vec::with_capacity(matched.len());
        // Sorted by left vertex, the matched edges rise.
        let mut position = 0;
        edges.retain(|&edge| {
            let taken = matched[edge.left as usize] == position;
            position += 1;
            if taken {
                matching.push(edge);
            }
            !taken
        });
        matching
    }
}

/// Divides a graph of even degrees in two that share every vertex evenly: keeps one, returns the other.
///
/// At every vertex two edges each are partners. Partners at left and right ends join the edges to
/// circuits of even length, whose edges go to either half in turn.
fn halve(edges: &mut Vec<Edge>, vertices: u32) -> Vec<Edge> {
    let at_left = partners(edges.iter().map(|edge| edge.left), vertices);
    let at_right = partners(edges.iter().map(|edge| edge.right), vertices);
    let mut second = vec![None; edges.len()];
    for start in 0..edges.len() {
        let mut at = start;
        while second[at].is_none() {
            second[at] = Some(false);
            let opposite = at_left[at] as usize;
            second[opposite] = Some(true);
            at = at_right[opposite] as usize;
        }
    }
    let mut other = Vec::with_capacity(edges.len() / 2);
    let mut sides = second.iter();
    edges.retain(|&edge| {
        let leaves = sides.next() == Some(&Some(true));
        if leaves {
            other.push(edge);
        }
        !leaves
    });
    other
}

/// For every edge another one that ends in the same vertex, and that has it for partner.
fn partners(ends: impl ExactSizeIterator<Item = u32>, vertices: u32) -> Vec<u32> {
    let mut alone = vec![NONE; vertices as usize];
    let mut partner = vec![NONE; ends.len()];
    for (edge, end) in (0..).zip(ends) {
        let waiting = &mut alone[end as usize];
        if *waiting == NONE {
            *waiting = edge;
        } else {
            partner[edge as usize] = *waiting;
            partner[*waiting as usize] = edge;
            *waiting = NONE;
        }
    }
    partner
}

/// A growing matching in a regular graph.
struct Walks<'e> {
    /// Sorted by left vertex: vertex v has the `degree` edges from v * degree on.
    edges: &'e [Edge],
    degree: u32,
    /// The matched edge of each vertex, or NONE.
    of_left: Vec<u32>,
    of_right: Vec<u32>,
    /// Where a left vertex is on the present walk, or NONE.
    step_of: Vec<u32>,
}

impl Walks<'_> {
    /// Matches a free left vertex: walks from left to right on random edges and back on matched ones
    /// until a free right vertex is found, forgets the loops, and swaps along what remains.
    fn augment(&mut self, free: u32, random: &mut Stream) {
        let mut walk: Vec<u32> = Vec::new();
        let mut left = free;
        loop {
            let pick = index_below(random.next_u64(), self.degree);
            let edge = left * self.degree + pick;
            if edge == self.of_left[left as usize] {
                continue;
            }
            self.step_of[left as usize] = walk.len() as u32;
            walk.push(edge);
            let back = self.of_right[self.edges[edge as usize].right as usize];
            if back == NONE {
                break;
            }
            left = self.edges[back as usize].left;
            let step = self.step_of[left as usize];
            if step != NONE {
                for erased in walk.drain(step as usize..) {
                    self.step_of[self.edges[erased as usize].left as usize] = NONE;
                }
            }
        }
        for edge in walk {
            let Edge { left, right, .. } = self.edges[edge as usize];
            self.step_of[left as usize] = NONE;
            self.of_left[left as usize] = edge;
            self.of_right[right as usize] = edge;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::stream;

    /// How often each colour is at each vertex.
    fn counts(ends: &[u32], coloring: &[u32], colors: u32) -> Vec<Vec<u32>> {
        let vertices = ends.iter().max().map_or(0, |&last| last as usize + 1);
        let mut counts = vec![vec![0; colors as usize]; vertices];
        for (&end, &color) in ends.iter().zip(coloring) {
            counts[end as usize][color as usize] += 1;
        }
        counts
    }

    fn assert_equitable(edges: &[(u32, u32)], colors: u32, seed: u64) {
        let coloring = color_equitably(edges, colors, &mut stream(seed, "test", 0));
        assert_eq!(coloring.len(), edges.len());
        let (left, right): (Vec<_>, Vec<_>) = edges.iter().copied().unzip();
        for ends in [left, right] {
            for vertex in counts(&ends, &coloring, colors) {
                let degree: u32 = vertex.iter().sum();
                let fair = degree / colors..=degree.div_ceil(colors);
                assert!(
                    vertex.iter().all(|count| fair.contains(count)),
                    "{vertex:?} of {degree}"
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn every_colour_is_at_every_vertex_alike(
            edges in prop::collection::vec((0..7_u32, 0..5_u32), 0..150),
            colors in 1..17_u32,
            seed in 0..1_000_u64,
        ) {
            assert_equitable(&edges, colors, seed);
        }
    }

    #[test]
    fn one_bundle_of_parallel_edges() {
        for colors in 1..=9 {
            assert_equitable(&[(3, 0); 9], colors, 1);
        }
    }
}
