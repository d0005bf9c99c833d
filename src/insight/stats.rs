//! The statistics beneath the figures. Distributions come from `statrs`.

use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF, Normal};
use statrs::function::beta::beta_reg;

/// Two-sided 95 %.
const LEVEL: f64 = 0.95;

/// The normal quantile of a two-sided 95 % interval.
fn z() -> f64 {
    Normal::standard().inverse_cdf(0.5 + LEVEL / 2.0)
}

/// Wilson's 95 % score interval of a proportion `of / out_of`; `None` out of nothing.
pub fn wilson(of: u64, out_of: u64) -> Option<(f64, f64)> {
    if out_of == 0 {
        return None;
    }
    let (n, p, z) = (out_of as f64, of as f64 / out_of as f64, z());
    let centre = p + z * z / (2.0 * n);
    let half = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    Some((
        ((centre - half) / scale).max(0.0),
        ((centre + half) / scale).min(1.0),
    ))
}

/// The x in 0 to 1 at which a rising function is `p`, by bisection to the last digit that 100
/// halvings give: slow and sure.
fn crossing(rising: impl Fn(f64) -> f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if rising(middle) < p {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

/// The probability of `of` or more successes in `out_of`, by the probability of one.
fn at_least(of: u64, out_of: u64, p: f64) -> f64 {
    if of == 0 {
        1.0
    } else if of > out_of {
        0.0
    } else {
        beta_reg(of as f64, (out_of - of + 1) as f64, p)
    }
}

/// The 95 % interval of Clopper and Pearson for a proportion `of / out_of`, `out_of` > 0.
pub fn clopper_pearson(of: u64, out_of: u64) -> (f64, f64) {
    let tail = (1.0 - LEVEL) / 2.0;
    let low = if of == 0 {
        0.0
    } else {
        crossing(|p| at_least(of, out_of, p), tail)
    };
    let high = if of >= out_of {
        1.0
    } else {
        crossing(|p| at_least(of + 1, out_of, p), 1.0 - tail)
    };
    (low, high)
}

/// The mid-p 95 % interval of a proportion `of / out_of`, `out_of` > 0: as [`clopper_pearson`], but
/// only half the probability of the count observed is put into each tail (Lancaster 1961; Agresti
/// and Gottard 2007). It holds the truth 95 times in 100 on average, where the other one holds it at
/// least that often and so, with small counts, more often than it says.
pub fn mid_p(of: u64, out_of: u64) -> (f64, f64) {
    let tail = (1.0 - LEVEL) / 2.0;
    let above = |p: f64| 0.5 * (at_least(of, out_of, p) + at_least(of + 1, out_of, p));
    let low = if of == 0 { 0.0 } else { crossing(above, tail) };
    let high = if of >= out_of {
        1.0
    } else {
        crossing(above, 1.0 - tail)
    };
    (low, high)
}

/// The exact two-sided p of `of` successes in `out_of` under probability `p`: twice the smaller tail, so
/// that it is below 5 % exactly when the interval of [`clopper_pearson`] leaves `p` out.
pub fn binomial_p(of: u64, out_of: u64, p: f64) -> f64 {
    let Ok(binomial) = Binomial::new(p, out_of) else {
        return 1.0;
    };
    let lower = binomial.cdf(of);
    let upper = if of == 0 { 1.0 } else { binomial.sf(of - 1) };
    (2.0 * lower.min(upper)).min(1.0)
}

/// How many times as often something happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateRatio {
    /// The first rate by the second; infinite when the second count is 0.
    pub ratio: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval; may be infinite.
    pub high: f64,
    /// Exact two-sided p that the rates are equal.
    pub p: f64,
}

impl RateRatio {
    /// The same with an interval `factor` times as wide on the logarithmic scale, about the ratio.
    #[must_use]
    pub fn widened(self, factor: f64) -> Self {
        let centre = self.ratio.ln();
        let stretch = |end: f64| (centre + (end.ln() - centre) * factor).exp();
        if factor > 1.0 && self.ratio > 0.0 && self.ratio.is_finite() {
            Self {
                low: stretch(self.low),
                high: stretch(self.high),
                ..self
            }
        } else {
            self
        }
    }
}

/// The ratio of two Poisson rates `a / time_a` and `b / time_b`: given their sum, `a` is binomial;
/// interval by Clopper and Pearson, p by the exact test. `None` when nothing happened or a time is 0.
pub fn rate_ratio(a: u64, time_a: f64, b: u64, time_b: f64) -> Option<RateRatio> {
    conditional(a, time_a, b, time_b, clopper_pearson)
}

/// As [`rate_ratio`] with the same p, but the interval of [`mid_p`].
pub fn rate_ratio_mid_p(a: u64, time_a: f64, b: u64, time_b: f64) -> Option<RateRatio> {
    conditional(a, time_a, b, time_b, mid_p)
}

/// A ratio of rates from the proportion that `a` has in the sum of both counts.
fn conditional(
    a: u64,
    time_a: f64,
    b: u64,
    time_b: f64,
    interval: fn(u64, u64) -> (f64, f64),
) -> Option<RateRatio> {
    let n = a + b;
    // Written so that NaN is refused too.
    let positive = time_a > 0.0 && time_b > 0.0;
    if n == 0 || !positive {
        return None;
    }
    let scale = time_b / time_a;
    let odds = |p: f64| {
        if p >= 1.0 {
            f64::INFINITY
        } else {
            p / (1.0 - p) * scale
        }
    };
    let (low, high) = interval(a, n);
    Some(RateRatio {
        ratio: odds(a as f64 / n as f64),
        low: odds(low),
        high: odds(high),
        p: binomial_p(a, n, time_a / (time_a + time_b)),
    })
}

/// Counts that should be Poisson with the given means: Pearson's χ² by its degrees of freedom, and
/// the probability of that much or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dispersion {
    /// 1 for Poisson counts, more when questions come in heaps.
    pub index: f64,
    /// Probability of an index at least that large when counts are Poisson.
    pub p: f64,
}

/// Dispersion of counts about their means, with `fitted` parameters estimated from them; `None` with
/// too few counts.
pub fn dispersion(counts: &[u64], means: &[f64], fitted: usize) -> Option<Dispersion> {
    let pairs = counts.iter().zip(means).filter(|(_, mean)| **mean > 0.0);
    let (mut chi, mut n) = (0.0, 0_usize);
    for (count, mean) in pairs {
        chi += (*count as f64 - mean).powi(2) / mean;
        n += 1;
    }
    let freedom = n.checked_sub(fitted).filter(|f| *f > 0)? as f64;
    Some(Dispersion {
        index: chi / freedom,
        p: ChiSquared::new(freedom).ok()?.sf(chi),
    })
}

/// Shannon's entropy of shares by its largest possible value: 1 when all are equal, 0 when one has
/// everything. `None` for fewer than two shares or nothing at all.
pub fn evenness(counts: &[u64]) -> Option<f64> {
    let total: u64 = counts.iter().sum();
    if counts.len() < 2 || total == 0 {
        return None;
    }
    let shares = counts.iter().map(|c| *c as f64 / total as f64);
    let entropy: f64 = shares.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
    Some(entropy / (counts.len() as f64).ln())
}

/// Which of many p values stay when at most a share `level` of those kept may be false alarms
/// (Benjamini and Hochberg 1995).
pub fn benjamini_hochberg(p: &[f64], level: f64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let n = p.len() as f64;
    let kept = order
        .iter()
        .enumerate()
        .rev()
        .find(|(rank, at)| p[**at] <= level * (*rank + 1) as f64 / n)
        .map_or(0, |(rank, _)| rank + 1);
    let mut out = vec![false; p.len()];
    for at in order.into_iter().take(kept) {
        out[at] = true;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(ours: f64, theirs: f64) {
        let scale = theirs.abs().max(1e-300);
        assert!(
            (ours - theirs).abs() / scale < 1e-6,
            "{ours} is not {theirs}"
        );
    }

    fn ratio(a: u64, time_a: f64, b: u64, time_b: f64, theirs: [f64; 4]) {
        let ours = rate_ratio(a, time_a, b, time_b).unwrap();
        near(ours.ratio, theirs[0]);
        near(ours.low, theirs[1]);
        near(ours.high, theirs[2]);
        near(ours.p, theirs[3]);
    }

    // from statsmodels.stats.proportion import proportion_confint as pc
    // def rr(a, ta, b, tb):
    //     lo, hi = pc(a, a+b, method='beta'); f = lambda p: p/(1-p)*tb/ta
    //     B = scipy.stats.binom(a+b, ta/(ta+tb))
    //     return f(a/(a+b)), f(lo), f(hi), min(1, 2*min(B.cdf(a), B.sf(a-1)))
    #[test]
    fn rate_ratios_are_those_of_scipy() {
        // rr(2, 17877, 9, 16660) and so on
        ratio(
            2,
            17877.0,
            9,
            16660.0,
            [
                0.207094155743258,
                0.0217740627590647,
                1.000549104487721,
                0.0501064956141089,
            ],
        );
        ratio(
            130,
            2310.0,
            88,
            2205.0,
            [
                1.410123966942149,
                1.067633839973564,
                1.869899842902863,
                0.01462957425269613,
            ],
        );
        ratio(
            9,
            100.0,
            2,
            50.0,
            [
                2.250000000000001,
                0.4657061290968838,
                21.3998579676339,
                0.4682213077274804,
            ],
        );
        ratio(
            5200,
            70000.0,
            5000,
            69000.0,
            [
                1.025142857142857,
                0.9859188011314229,
                1.065935338761316,
                0.2135506276314049,
            ],
        );
        assert_eq!(rate_ratio(0, 1.0, 0, 1.0), None);
        assert_eq!(rate_ratio(1, f64::NAN, 1, 1.0), None);
        let none_before = rate_ratio(5, 10.0, 0, 10.0).unwrap();
        assert!(none_before.ratio.is_infinite() && none_before.high.is_infinite());
    }

    // def mid(a, n):
    //     above = lambda p: binom.sf(a, n, p) + binom.pmf(a, n, p) / 2
    //     return [brentq(lambda p: above(p) - t, 1e-12, 1 - 1e-12, xtol=1e-15) for t in (.025, .975)]
    // and from it the ratio's ends as above
    #[test]
    fn mid_p_intervals_are_those_of_scipy() {
        let ends = |a, time_a, b, time_b, low, high| {
            let ours = rate_ratio_mid_p(a, time_a, b, time_b).unwrap();
            near(ours.low, low);
            near(ours.high, high);
            let exact = rate_ratio(a, time_a, b, time_b).unwrap();
            assert!(exact.low < ours.low && ours.high < exact.high);
        };
        ends(
            2,
            17877.0,
            9,
            16660.0,
            0.03049577196366833,
            0.8695231930182576,
        );
        ends(
            130,
            2310.0,
            88,
            2205.0,
            1.0769585673446018,
            1.8528500559274363,
        );
        ends(9, 100.0, 2, 50.0, 0.5358820261077804, 15.279555834082903);
        ends(
            5200,
            70000.0,
            5000,
            69000.0,
            0.9861102796731962,
            1.0657282025406438,
        );
        let none_before = rate_ratio_mid_p(5, 10.0, 0, 10.0).unwrap();
        assert!(none_before.low > 0.0 && none_before.high.is_infinite());
    }

    // pc(87, 100, method='wilson'), …; pc(431, 1000, method='beta'), …
    #[test]
    fn proportions_are_those_of_statsmodels() {
        let (low, high) = wilson(87, 100).unwrap();
        near(low, 0.7901964855992356);
        near(high, 0.9224283257275949);
        near(wilson(0, 12).unwrap().1, 0.24249400665524096);
        near(wilson(3, 3).unwrap().0, 0.43850296824495444);
        assert_eq!(wilson(0, 0), None);
        near(clopper_pearson(0, 20).1, 0.16843347098308534);
        near(clopper_pearson(20, 20).0, 0.8315665290169146);
        let (low, high) = clopper_pearson(431, 1000);
        near(low, 0.4000486224245834);
        near(high, 0.46235875955960853);
    }

    // c = np.array([3, 1, 4, 1, 5, 9, 2, 6]); m = c.mean(); chi = ((c-m)**2/m).sum()
    // chi/7, scipy.stats.chi2.sf(chi, 7); scipy.stats.entropy([10, 20, 30, 0])/np.log(4)
    // multipletests([.01, .04, .03, .005, .2, .012], .05, method='fdr_bh')[0]
    #[test]
    fn the_rest_is_that_of_scipy() {
        let counts = [3, 1, 4, 1, 5, 9, 2, 6];
        let found = dispersion(&counts, &[31.0 / 8.0; 8], 1).unwrap();
        near(found.index, 1.9493087557603686);
        near(found.p, 0.057864632134564956);
        near(evenness(&[10, 20, 30, 0]).unwrap(), 0.7295739585136225);
        near(evenness(&[7, 7]).unwrap(), 1.0);
        assert_eq!(evenness(&[0, 0]), None);
        assert_eq!(
            benjamini_hochberg(&[0.01, 0.04, 0.03, 0.005, 0.2, 0.012], 0.05),
            [true, true, true, true, false, true]
        );
    }

    #[test]
    fn widening_keeps_the_ratio_and_the_logarithmic_shape() {
        let ratio = rate_ratio(40, 1.0, 20, 1.0).unwrap();
        let wide = ratio.widened(2.0);
        near(
            (wide.high / wide.ratio).ln(),
            2.0 * (ratio.high / ratio.ratio).ln(),
        );
        near(
            (wide.ratio / wide.low).ln(),
            2.0 * (ratio.ratio / ratio.low).ln(),
        );
        assert_eq!(ratio.widened(0.5), ratio);
    }
}
