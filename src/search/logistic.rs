//! Logistic regression for a handful of features: gradient descent on the mean log loss over
//! standardised features. Convex, deterministic, a second of work.

/// A vector whose first figure is the constant 1, and whether it was right.
pub(super) type Sample<const N: usize> = ([f64; N], bool);

/// Rounded to what a data file should hold.
pub(super) fn rounded(weight: f64) -> f64 {
    (weight * 1000.0).round() / 1000.0
}

/// The probability that weights give a vector.
pub(super) fn probability<const N: usize>(weights: &[f64; N], x: &[f64; N]) -> f64 {
    let z: f64 = weights.iter().zip(x).map(|(w, v)| w * v).sum();
    1.0 / (1.0 + (-z).exp())
}

/// The weights under which the samples are likeliest; the first one is the bias.
pub(super) fn fit<const N: usize>(samples: &[Sample<N>]) -> [f64; N] {
    fit_above(samples, f64::NEG_INFINITY)
}

/// The same with every weight but the bias at least 0: no feature may speak against. Features that
/// go together otherwise get weights of both signs, which say nonsense where they do not.
pub(super) fn fit_rising<const N: usize>(samples: &[Sample<N>]) -> [f64; N] {
    fit_above(samples, 0.0)
}

fn fit_above<const N: usize>(samples: &[Sample<N>], least: f64) -> [f64; N] {
    let n = samples.len().max(1) as f64;
    let mut mean = [0.0; N];
    let mut spread = [0.0; N];
    for (x, _) in samples {
        for (m, v) in mean.iter_mut().zip(x) {
            *m += v / n;
        }
    }
    for (x, _) in samples {
        for ((s, v), m) in spread.iter_mut().zip(x).zip(mean) {
            *s += (v - m).powi(2) / n;
        }
    }
    // The bias is not standardised.
    (mean[0], spread[0]) = (0.0, 1.0);
    let spread = spread.map(|s: f64| s.sqrt().max(1e-6));
    let scaled: Vec<Sample<N>> = samples
        .iter()
        .map(|(x, right)| {
            let mut x = *x;
            for ((v, m), s) in x.iter_mut().zip(mean).zip(spread) {
                *v = (*v - m) / s;
            }
            (x, *right)
        })
        .collect();
    let mut weights = [0.0; N];
    for _ in 0..2_000 {
        let mut gradient = [0.0; N];
        for (x, right) in &scaled {
            let error = probability(&weights, x) - f64::from(u8::from(*right));
            for (g, v) in gradient.iter_mut().zip(x) {
                *g += error * v / n;
            }
        }
        for (n, (w, g)) in weights.iter_mut().zip(gradient).enumerate() {
            *w -= g;
            if n > 0 {
                *w = w.max(least);
            }
        }
    }
    for (w, s) in weights.iter_mut().zip(spread).skip(1) {
        *w /= s;
    }
    let shift: f64 = weights.iter().zip(mean).skip(1).map(|(w, m)| w * m).sum();
    weights[0] -= shift;
    weights.map(rounded)
}

#[cfg(test)]
mod tests {
    use super::{fit, probability};

    #[test]
    fn finds_the_odds_of_a_coin_that_depends_on_a_feature() {
        // Right 8 of 10 times when the feature is 1, 2 of 10 when it is 0.
        let samples: Vec<([f64; 2], bool)> = (0..1000)
            .map(|n| {
                let high = n % 2 == 0;
                let right = (n / 2) % 10 < if high { 8 } else { 2 };
                ([1.0, f64::from(u8::from(high))], right)
            })
            .collect();
        let weights = fit(&samples);
        assert!((probability(&weights, &[1.0, 1.0]) - 0.8).abs() < 0.01);
        assert!((probability(&weights, &[1.0, 0.0]) - 0.2).abs() < 0.01);
    }
}
