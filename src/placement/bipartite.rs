//! Equitable edge coloring of bipartite multigraphs, in about O(m log c) for m edges and c colors.
//!
//! A vertex of degree d is cut into vertices of degree c and one with the rest, and edges are added
//! until the graph is c-regular. A regular graph of even degree falls apart into two halves of half
//! the degree by walking its circuits (Gabow 1976); one of odd degree gives up a perfect matching, found by
//! random walks in O(n log n) (Goel, Kapralov, Khanna 2010). Perfect matchings are the colors.

use rand::Rng;

use crate::ids::{Id, IdVec, id};
use crate::rng::{Stream, index_below};

id! {
    /// A vertex, or the part of one that at most so many edges leave as there are colors: of either side.
    Vertex;
    /// An edge: as given to [`color_equitably`], or by its position in a regular graph.
    EdgeId;
}

/// An edge between a left and a right vertex, with its number.
#[derive(Debug, Clone, Copy)]
struct Edge {
    left: Vertex,
    right: Vertex,
    number: EdgeId,
}

/// Colors the edges (left vertex, right vertex) so that at every vertex each of `colors` colors
/// (at least 1) is on either floor or ceil of degree / colors edges. Colors are counted from 0.
pub(super) fn color_equitably(edges: &[(u32, u32)], colors: u32, random: &mut Stream) -> Vec<u32> {
    let (left, lefts) = cut_vertices(edges.iter().map(|edge| edge.0), colors);
    let (right, rights) = cut_vertices(edges.iter().map(|edge| edge.1), colors);
    let mut regular: Vec<Edge> = (0..)
        .map(EdgeId)
        .zip(left.iter().zip(&right))
        .map(|(number, (&left, &right))| Edge { left, right, number })
        .collect();
    let vertices = lefts.max(rights);
    let missing_left = missing(&left, vertices, colors);
    let missing_right = missing(&right, vertices, colors);
    regular.extend(missing_left.zip(missing_right).map(|(left, right)| Edge {
        left,
        right,
        number: EdgeId::NONE,
    }));
    regular.sort_by_key(|edge| edge.left);
    let mut coloring = IdVec::filled(0, edges.len());
    let classes = Matchings { vertices, random }.of(regular, colors);
    for (color, class) in (0..).zip(classes) {
        for edge in class.iter().filter(|edge| edge.number != EdgeId::NONE) {
            coloring[edge.number] = color;
        }
    }
    coloring.into_iter().collect()
}

/// Numbers of the parts of at most `degree` edges that the ends of the edges fall into, in the order
/// of the edges, and how many parts there are.
fn cut_vertices(ends: impl Iterator<Item = u32> + Clone, degree: u32) -> (Vec<Vertex>, u32) {
    let vertices = ends.clone().max().map_or(0, |last| last as usize + 1);
    // Edges seen of each vertex, and the part that takes its next ones.
    let mut seen: IdVec<Vertex, (u32, Vertex)> = IdVec::filled((0, Vertex::NONE), vertices);
    let mut parts = 0;
    let cut = |end: u32| {
        let (count, part) = &mut seen[Vertex(end)];
        if *count % degree == 0 {
            *part = Vertex(parts);
            parts += 1;
        }
        *count += 1;
        *part
    };
    (ends.map(cut).collect(), parts)
}

/// Every vertex as often as it lacks an edge to `degree`.
fn missing(ends: &[Vertex], vertices: u32, degree: u32) -> impl Iterator<Item = Vertex> {
    let mut lacks = IdVec::filled(degree, vertices as usize);
    for &end in ends {
        lacks[end] -= 1;
    }
    (0..)
        .map(Vertex)
        .zip(lacks)
        .flat_map(|(vertex, lack)| std::iter::repeat_n(vertex, lack as usize))
}

/// Takes regular graphs apart. Here and below edges are sorted by their left vertex, so that vertex v
/// has the `degree` edges from v * degree on.
struct Matchings<'r> {
    /// Vertices at either side.
    vertices: u32,
    random: &'r mut Stream,
}

impl Matchings<'_> {
    /// As many perfect matchings as the degree, which together are the graph.
    fn of(&mut self, mut edges: Vec<Edge>, degree: u32) -> Vec<Vec<Edge>> {
        if degree == 1 {
            return vec![edges];
        }
        if !degree.is_multiple_of(2) {
            let matching = self.take_one(&mut edges, degree);
            let mut matchings = self.of(edges, degree - 1);
            matchings.push(matching);
            return matchings;
        }
        let mut second = halve(&mut edges, self.vertices);
        let mut matchings = self.of(edges, degree / 2);
        // With some matchings of the first half the second has a power of two for degree, and needs
        // nothing but halving (Gabow and Kariv 1982).
        let grown = (degree / 2).next_power_of_two();
        second.extend(matchings.drain(..(grown - degree / 2) as usize).flatten());
        second.sort_by_key(|edge| edge.left);
        matchings.extend(self.of(second, grown));
        matchings
    }

    /// Removes a perfect matching from a regular graph.
    fn take_one(&mut self, edges: &mut Vec<Edge>, degree: u32) -> Vec<Edge> {
        let matched = Walks::new(edges, degree, self.vertices).perfect_matching(self.random);
        let mut matching = Vec::with_capacity(matched.len());
        let mut position = 0;
        edges.retain(|&edge| {
            let taken = matched[edge.left] == EdgeId(position);
            position += 1;
            if taken {
                matching.push(edge);
            }
            !taken
        });
        matching
    }
}

/// Divides a regular graph of even degree in two that share every vertex evenly: keeps one, returns
/// the other.
///
/// At every vertex two edges each are partners. Partners at left and right ends join the edges to
/// circuits of even length, whose edges go to either half in turn.
fn halve(edges: &mut Vec<Edge>, vertices: u32) -> Vec<Edge> {
    // Sorted and even in number at every vertex, the edges 2k and 2k + 1 have the same left end.
    let at_left = |edge: EdgeId| EdgeId(edge.0 ^ 1);
    let at_right = right_partners(edges, vertices);
    let mut goes: IdVec<EdgeId, bool> = IdVec::filled(false, edges.len());
    for start in goes.ids().step_by(2) {
        let mut at = start;
        // Of each pair of partners at the left, exactly one goes once its circuit has been walked.
        while !goes[at] && !goes[at_left(at)] {
            goes[at_left(at)] = true;
            at = at_right[at_left(at)];
        }
    }
    let mut other = Vec::with_capacity(edges.len() / 2);
    let mut goes = goes.into_iter();
    edges.retain(|&edge| {
        let leaves = goes.next() == Some(true);
        if leaves {
            other.push(edge);
        }
        !leaves
    });
    other
}

/// For every edge another one that ends in the same right vertex, and that has it for partner.
fn right_partners(edges: &[Edge], vertices: u32) -> IdVec<EdgeId, EdgeId> {
    let mut alone = IdVec::filled(EdgeId::NONE, vertices as usize);
    let mut partner = IdVec::filled(EdgeId::NONE, edges.len());
    for (edge, ends) in (0..).map(EdgeId).zip(edges) {
        let waiting = &mut alone[ends.right];
        if *waiting == EdgeId::NONE {
            *waiting = edge;
        } else {
            partner[edge] = *waiting;
            partner[*waiting] = edge;
            *waiting = EdgeId::NONE;
        }
    }
    partner
}

/// A growing matching in a regular graph.
struct Walks {
    degree: u32,
    /// The right end of each edge; its left end is its position / degree.
    right: IdVec<EdgeId, Vertex>,
    /// The matched edge of each vertex, or NONE.
    of_left: IdVec<Vertex, EdgeId>,
    of_right: IdVec<Vertex, EdgeId>,
    /// Where a left vertex is on the present walk.
    step_of: IdVec<Vertex, Option<u32>>,
}

impl Walks {
    fn new(edges: &[Edge], degree: u32, vertices: u32) -> Self {
        let none = IdVec::filled(EdgeId::NONE, vertices as usize);
        Self {
            degree,
            right: edges.iter().map(|edge| edge.right).collect(),
            of_left: none.clone(),
            of_right: none,
            step_of: IdVec::filled(None, vertices as usize),
        }
    }

    fn left(&self, edge: EdgeId) -> Vertex {
        Vertex(edge.0 / self.degree)
    }

    /// The matched edge of every left vertex.
    fn perfect_matching(mut self, random: &mut Stream) -> IdVec<Vertex, EdgeId> {
        let mut walk = Vec::new();
        for left in self.of_left.ids() {
            self.walk_to_free(left, &mut walk, random);
            for edge in walk.drain(..) {
                let left = self.left(edge);
                self.step_of[left] = None;
                self.of_left[left] = edge;
                self.of_right[self.right[edge]] = edge;
            }
        }
        self.of_left
    }

    /// Walks from a free left vertex to the right on random edges and back on matched ones until a
    /// free right vertex is found, forgetting loops: `walk` gets the edges to the right, which take the place of the
    /// matched ones between them.
    fn walk_to_free(&mut self, mut left: Vertex, walk: &mut Vec<EdgeId>, random: &mut Stream) {
        loop {
            let edge = EdgeId(left.0 * self.degree + index_below(random.next_u64(), self.degree));
            if edge == self.of_left[left] {
                continue;
            }
            self.step_of[left] = Some(walk.len() as u32);
            walk.push(edge);
            let back = self.of_right[self.right[edge]];
            if back == EdgeId::NONE {
                return;
            }
            left = self.left(back);
            if let Some(step) = self.step_of[left] {
                for erased in walk.drain(step as usize..) {
                    self.step_of[Vertex(erased.0 / self.degree)] = None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rng::stream;

    /// How often each color is at each vertex.
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
        fn every_color_is_at_every_vertex_alike(
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
