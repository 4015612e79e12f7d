//! `exp` and `ln` in plain `+ - * /`, the same to the last bit on every machine.
//!
//! The library functions of the platforms differ in their last digit, which a solver that stops on
//! an error amplifies into different plans. These are branch-free besides, so that loops over them
//! are vectorised: an exponential costs about a nanosecond. Argument reduction and the splitting of
//! ln 2 follow Cody and Waite (1980); the polynomials interpolate at Chebyshev nodes.

/// `exp` is 0 below this: results smaller than 3e-308 have no full precision.
const SMALLEST: f64 = -708.0;
/// `exp` is infinite above this.
const LARGEST: f64 = 709.0;
/// Adding it rounds to an integer, which then stands in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;
/// ln 2 in two parts: the first has 20 zero bits at its end.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// (exp(r) - 1 - r) / r^2 for |r| <= ln(2)/2, relative error of exp 2e-17.
const EXP: [f64; 10] = [
    0.500_000_000_000_000_1,
    0.166_666_666_666_666_69,
    0.041_666_666_666_624_13,
    0.008_333_333_333_330_062,
    0.001_388_888_891_721_371_7,
    0.000_198_412_698_630_536_18,
    2.480_152_129_595_437_6e-5,
    2.755_726_845_999_706_4e-6,
    2.762_008_844_540_974_6e-7,
    2.510_038_549_551_032e-8,
];

/// (2^r - 1) / r for |r| <= 1/2, relative error of 2^r 6e-16.
const EXP2: [f64; 10] = [
    0.693_147_180_559_946_2,
    0.240_226_506_959_100_75,
    0.055_504_108_664_651_67,
    0.009_618_129_107_618_665,
    0.001_333_355_820_079_459_2,
    0.000_154_035_304_247_765_29,
    1.525_267_292_485_073_7e-5,
    1.321_545_163_322_143_4e-6,
    1.020_590_541_376_559_5e-7,
    7.070_977_866_508_138e-9,
];

/// (ln((1+s)/(1-s)) - 2s) / s^3 in powers of s^2 for |s| <= 0.172, relative error of ln 5e-18.
const LN: [f64; 7] = [
    0.666_666_666_666_667,
    0.399_999_999_998_993_8,
    0.285_714_286_260_310_65,
    0.222_222_111_257_228_1,
    0.181_828_897_861_910_42,
    0.153_316_996_335_438_58,
    0.146_167_211_798_618_16,
];

/// e^x within 2 units in the last place; 0 below -708, infinite above 709, NaN for NaN.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let inside = if x < SMALLEST { SMALLEST } else { x };
    let inside = if inside > LARGEST { LARGEST } else { inside };
    let shifted = inside * std::f64::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (inside - k * LN2_HIGH) - k * LN2_LOW;
    let (r2, c) = (r * r, &EXP);
    let r4 = r2 * r2;
    let low = (c[0] + c[1] * r) + r2 * (c[2] + c[3] * r);
    let high = (c[4] + c[5] * r) + r2 * (c[6] + c[7] * r);
    let q = low + r4 * (high + r4 * (c[8] + c[9] * r));
    let mantissa = 1.0 + (r + r2 * q);
    let scaled = f64::from_bits(mantissa.to_bits().wrapping_add(shifted.to_bits() << 52));
    let result = if x < SMALLEST { 0.0 } else { scaled };
    if x > LARGEST { f64::INFINITY } else { result }
}

/// 2^x within 4 units in the last place for x in [-900, 1023]; beyond it the value at the nearer end. The cheapest
/// exponential: no special values, no ln 2 to divide out, and far from the denormal numbers that slow down products.
#[inline(always)]
pub(crate) fn exp2(x: f64) -> f64 {
    let x = if x < -900.0 { -900.0 } else { x };
    let x = if x > 1023.0 { 1023.0 } else { x };
    let shifted = x + ROUND;
    let r = x - (shifted - ROUND);
    let (r2, c) = (r * r, &EXP2);
    let r4 = r2 * r2;
    let low = (c[0] + c[1] * r) + r2 * (c[2] + c[3] * r);
    let high = (c[4] + c[5] * r) + r2 * (c[6] + c[7] * r);
    let mantissa = 1.0 + r * (low + r4 * (high + r4 * (c[8] + c[9] * r)));
    f64::from_bits(mantissa.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// Natural logarithm within 2 units in the last place: -infinity at 0, NaN below.
pub fn ln(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 || x == f64::INFINITY {
        return match x {
            0.0 => f64::NEG_INFINITY,
            f64::INFINITY => x,
            _ => f64::NAN,
        };
    }
    if x < f64::MIN_POSITIVE {
        ln_normal(x * 18_014_398_509_481_984.0, -54.0)
    } else {
        ln_normal(x, 0.0)
    }
}

/// Base-2 logarithm of a positive normal number, without branches.
#[inline(always)]
pub(crate) fn log2_of_normal(x: f64) -> f64 {
    ln_normal(x, 0.0) * std::f64::consts::LOG2_E
}

/// ln(x * 2^offset) for a positive normal number, without branches.
#[inline(always)]
fn ln_normal(x: f64, offset: f64) -> f64 {
    /// 2^52, in the low bits of which an integer reads as itself.
    const WHOLE: u64 = 0x4330_0000_0000_0000;
    let bits = x.to_bits();
    let mantissa = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let exponent = f64::from_bits((bits >> 52) | WHOLE) - (f64::from_bits(WHOLE) + 1023.0) + offset;
    let large = mantissa > std::f64::consts::SQRT_2;
    let m = if large { 0.5 * mantissa } else { mantissa };
    let k = if large { exponent + 1.0 } else { exponent };
    let f = m - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let series = LN.iter().rev().fold(0.0, |sum, &c| sum * z + c);
    // ln(1 + f) = f - (f^2/2 - s (f^2/2 + z series)): the leading term is exact.
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + z * series) + k * LN2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(ours: f64, reference: f64) -> f64 {
        (ours - reference).abs() / (reference.abs() * f64::EPSILON).max(f64::MIN_POSITIVE)
    }

    #[test]
    fn exp_is_within_two_ulps_of_the_platforms() {
        for i in -70_000..=70_000 {
            let x = f64::from(i) * 0.010_01;
            assert!(
                ulps(exp(x), x.exp()) <= 2.0,
                "exp({x}) = {} against {}",
                exp(x),
                x.exp()
            );
        }
        assert_eq!((exp(0.0), exp(-0.0), exp(-800.0)), (1.0, 1.0, 0.0));
        assert_eq!(exp(f64::NEG_INFINITY), 0.0);
        assert_eq!((exp(800.0), exp(f64::INFINITY)), (f64::INFINITY, f64::INFINITY));
        assert!(exp(f64::NAN).is_nan());
    }

    #[test]
    fn exp2_is_within_four_ulps_of_the_platforms_and_ends_at_its_ends() {
        for i in -880_000..=1_000_000 {
            let x = f64::from(i) * 0.001_02;
            assert!(
                ulps(exp2(x), x.exp2()) <= 4.0,
                "2^{x} = {} against {}",
                exp2(x),
                x.exp2()
            );
        }
        assert_eq!((exp2(0.0), exp2(-3.0), exp2(1e9)), (1.0, 0.125, 1023_f64.exp2()));
        assert_eq!(
            (exp2(-1e9), exp2(f64::NEG_INFINITY)),
            ((-900_f64).exp2(), (-900_f64).exp2())
        );
        assert!(exp2(f64::NAN).is_nan());
        let mut logs = [1.0, 0.125, 1e-300, 3e200, f64::MIN_POSITIVE, f64::MAX];
        let expected = logs.map(f64::log2);
        logs = logs.map(log2_of_normal);
        assert!(
            logs.iter().zip(expected).all(|(&a, b)| (a - b).abs() <= 2e-13),
            "{logs:?}"
        );
    }

    #[test]
    fn ln_is_within_two_ulps_of_the_platforms() {
        for i in 0..200_000 {
            let x = (f64::from(i) * 0.007_003 - 700.0).exp();
            assert!(ulps(ln(x), x.ln()) <= 2.0, "ln({x}) = {} against {}", ln(x), x.ln());
        }
        for x in [1.0, 1.0 + f64::EPSILON, 1.0 - f64::EPSILON, 5e-324, f64::MAX, 2.0, 0.5] {
            assert!(ulps(ln(x), x.ln()) <= 2.0, "ln({x}) = {} against {}", ln(x), x.ln());
        }
        assert_eq!(ln(0.0), f64::NEG_INFINITY);
        assert_eq!(ln(f64::INFINITY), f64::INFINITY);
        assert!(ln(-1.0).is_nan() && ln(f64::NAN).is_nan());
    }
}
