//! Kernels over two vectors: dense ones of the same length, or the entries of sparse ones.

/// A component of a vector.
pub trait Component: Copy + Into<f64> {}

impl Component for f32 {}
impl Component for f64 {}

/// How many sums run side by side, so that the compiler can use vector instructions.
const LANES: usize = 8;

/// Returns the sum of `term` over the pairs of components, in double precision.
///
/// The order of additions depends on the length alone: the same vectors always give the same bits.
#[inline]
fn sum<A: Component, B: Component, const N: usize>(
    a: &[A],
    b: &[B],
    term: impl Fn(f64, f64) -> [f64; N],
) -> [f64; N] {
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut lanes = [[0.0; LANES]; N];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            let terms = term(a[lane].into(), b[lane].into());
            for n in 0..N {
                lanes[n][lane] += terms[n];
            }
        }
    }
    let mut sums = lanes.map(|lane| lane.iter().sum::<f64>());
    for (a, b) in a_rest.iter().zip(b_rest) {
        let terms = term((*a).into(), (*b).into());
        for n in 0..N {
            sums[n] += terms[n];
        }
    }
    sums
}

/// The entries of a vector by place: the place from 0, and the value; what is not there is 0.
pub trait Entries: Iterator<Item = (u32, f64)> {}

impl<T: Iterator<Item = (u32, f64)>> Entries for T {}

/// Returns the sum of `term` over the places that one of two vectors has an entry at; `term` is 0 where both are.
fn sum_entries<const N: usize>(
    a: impl Entries,
    b: impl Entries,
    term: impl Fn(f64, f64) -> [f64; N],
) -> [f64; N] {
    let (mut a, mut b) = (a.peekable(), b.peekable());
    let mut sums = [0.0; N];
    loop {
        let terms = match (a.peek().copied(), b.peek().copied()) {
            (None, None) => return sums,
            (Some((at, x)), Some((bt, y))) if at == bt => {
                a.next();
                b.next();
                term(x, y)
            }
            (Some((at, x)), other) if other.is_none_or(|(bt, _)| at < bt) => {
                a.next();
                term(x, 0.0)
            }
            (_, Some((_, y))) => {
                b.next();
                term(0.0, y)
            }
            (Some((_, x)), None) => {
                a.next();
                term(x, 0.0)
            }
        };
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += term;
        }
    }
}

/// Returns the dot product of two vectors by their entries.
pub fn dot_product_of_entries(a: impl Entries, b: impl Entries) -> f64 {
    let [dot] = sum_entries(a, b, |a, b| [a * b]);
    dot
}

/// Returns the cosine of the angle between two vectors by their entries; a vector of length zero has none.
pub fn cosine_similarity_of_entries(a: impl Entries, b: impl Entries) -> Option<f64> {
    cosine(sum_entries(a, b, |a, b| [a * b, a * a, b * b]))
}

/// Returns the Euclidean distance of two vectors by their entries.
pub fn euclidean_distance_of_entries(a: impl Entries, b: impl Entries) -> f64 {
    let [squares] = sum_entries(a, b, |a, b| [(a - b) * (a - b)]);
    squares.sqrt()
}

/// Returns the dot product: the sum of aᵢ·bᵢ.
pub fn dot_product<A: Component, B: Component>(a: &[A], b: &[B]) -> f64 {
    let [dot] = sum(a, b, |a, b| [a * b]);
    dot
}

/// Returns the cosine of the angle between two vectors, a·b / (‖a‖·‖b‖), from -1 to 1; a vector of length zero has none.
pub fn cosine_similarity<A: Component, B: Component>(a: &[A], b: &[B]) -> Option<f64> {
    cosine(sum(a, b, |a, b| [a * b, a * a, b * b]))
}

/// Returns a·b / (‖a‖·‖b‖) for the dot product and the squares of both lengths.
fn cosine([dot, a, b]: [f64; 3]) -> Option<f64> {
    // One rounding where the product is in range: [3, 4] and [4, 3] then have a cosine of 0.96 and not of 0.9600000000000001.
    let product = a * b;
    let norms = if product.is_normal() {
        product.sqrt()
    } else {
        a.sqrt() * b.sqrt()
    };
    // Rounding can carry the quotient of parallel vectors past 1.
    (norms != 0.0).then(|| {
        if dot.is_finite() {
            (dot / norms).clamp(-1.0, 1.0)
        } else {
            dot / norms
        }
    })
}

/// Returns the Euclidean distance ‖a − b‖.
pub fn euclidean_distance<A: Component, B: Component>(a: &[A], b: &[B]) -> f64 {
    let [squares] = sum(a, b, |a, b| [(a - b) * (a - b)]);
    squares.sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_zero_vector_has_no_cosine() {
        assert_eq!(cosine_similarity(&[0.0_f32, 0.0], &[1.0_f32, 2.0]), None);
    }

    #[test]
    fn a_right_triangle_has_its_lengths() {
        // 3-4-5.
        assert_eq!(euclidean_distance(&[0.0_f32, 4.0], &[3.0_f64, 0.0]), 5.0);
        assert_eq!(dot_product(&[0.0_f32, 4.0], &[3.0_f64, 0.0]), 0.0);
    }

    fn vectors() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
        (0_usize..40).prop_flat_map(|length| {
            (
                prop::collection::vec(-1e3..1e3, length),
                prop::collection::vec(-1e3..1e3, length),
            )
        })
    }

    proptest! {
        #[test]
        fn kernels_agree_with_the_formulas((a, b) in vectors()) {
            let dot: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            let norm = |v: &[f64]| v.iter().map(|v| v * v).sum::<f64>().sqrt();
            let distance = a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
            let close = |left: f64, right: f64| (left - right).abs() <= 1e-9 * (1.0 + norm(&a) * norm(&b));
            prop_assert!(close(dot_product(&a, &b), dot));
            prop_assert!(close(euclidean_distance(&a, &b), distance));
            // Every other component is left out of the entries: it is 0 there.
            let half = |v: &[f64]| v.iter().enumerate().map(|(at, v)| if at % 2 == 0 { *v } else { 0.0 }).collect::<Vec<_>>();
            let entries = |v: &[f64]| v.iter().enumerate().step_by(2).map(|(at, v)| (at as u32, *v)).collect::<Vec<_>>().into_iter();
            let all = b.iter().enumerate().map(|(at, v)| (at as u32, *v));
            prop_assert!(close(dot_product_of_entries(entries(&a), all.clone()), dot_product(&half(&a), &b)));
            prop_assert!(close(euclidean_distance_of_entries(entries(&a), all.clone()), euclidean_distance(&half(&a), &b)));
            let cosines = (cosine_similarity_of_entries(all, entries(&a)), cosine_similarity(&b, &half(&a)));
            prop_assert!(cosines.0.unwrap_or(9.0) - cosines.1.unwrap_or(9.0) <= 1e-9, "{:?}", cosines);
            if let Some(cosine) = cosine_similarity(&a, &b) {
                prop_assert!((cosine - dot / (norm(&a) * norm(&b))).abs() <= 1e-9);
                prop_assert!((-1.0..=1.0).contains(&cosine));
            }
        }
    }
}
