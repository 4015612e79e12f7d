//! `exp` and `ln` in plain `+ - * /`, the same to the last bit on every machine.
//!
//! The library functions of the platforms differ in their last digit, which a solver that stops on
//! an error amplifies into different plans: nothing that ends up in a result may call those. These are branch-free besides, so that loops over them
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

/// e^x within 1.1 units in the last place; 0 below -708, infinite above 709, NaN for NaN.
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

/// Natural logarithm within 1 unit in the last place: -infinity at 0, NaN below.
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

#[expect(clippy::approx_constant, reason = "values to test against")]
#[cfg(test)]
mod tests {
    use super::*;

    fn ulps(ours: f64, reference: f64) -> f64 {
        (ours - reference).abs() / (reference.abs() * f64::EPSILON).max(f64::MIN_POSITIVE)
    }

    /// Arguments, with e^x to twice the precision as a sum of two numbers, from mpmath 1.3; the last ones are where
    /// [`exp`] is worst among 200 000 random arguments.
    const EXPONENTIALS: &[(f64, f64, f64)] = &[
        (1.0, 2.718281828459045, 1.4456468917292502e-16),
        (-1.0, 0.36787944117144233, -1.2428753672788363e-17),
        (0.5, 1.6487212707001282, -4.731568479435833e-17),
        (-0.5, 0.6065306597126334, -6.593178415491414e-19),
        (1e-10, 1.0000000001, -8.269037096265652e-18),
        (-1e-300, 1.0, 0.0),
        (0.1, 1.1051709180756477, -8.149523913327619e-17),
        (0.34657359027997264, 1.414213562373095, 1.0897353451090442e-16),
        (-0.34657359027997264, 0.7071067811865476, -4.013739792746569e-17),
        (2.0, 7.38905609893065, -1.7971139497839148e-16),
        (10.0, 22026.465794806718, -1.3780134700517372e-12),
        (-10.0, 4.5399929762484854e-05, -2.637554055327531e-21),
        (100.5, 4.4319559098458955e+43, -6.1101039529390445e+26),
        (-300.25, 4.009422364622857e-131, -9.421845746665655e-148),
        (700.0, 1.0142320547350045e+304, 1.6666571920734673e+287),
        (-700.0, 9.85967654375977e-305, 8.5e-322),
        (709.0, 8.218407461554972e+307, -1.955965507696277e+291),
        (-708.0, 3.307553003638408e-308, 0.0),
        (-691.3968291625913, 5.372448849111117e-301, -1.4946e-319),
        (0.36240613350165063, 1.4367823489282554, 1.0269277920525276e-19),
        (0.36817663768010656, 1.4450972750612554, 2.0107202223635726e-18),
        (569.4406023233489, 2.0179544580643096e+247, 5.653088807432139e+229),
        (0.37397766220160866, 1.4535046819996695, 4.109603055316647e-18),
        (362.17718059219965, 1.9568205586082684e+157, 6.366633226072853e+139),
        (531.3175951636895, 5.601440378188401e+230, 1.8618240421968055e+213),
        (0.35812224918885516, 1.4306405044311796, 5.085559040629883e-18),
        (0.37054597320969496, 1.4485252547922032, 5.2902396031450314e-18),
        (518.1560205772535, 1.07721031061766e+225, 3.978757448636384e+207),
        (-218.6676553288258, 1.0810453672265063e-95, 4.894960679159872e-113),
        (463.38838227050974, 1.766108570880019e+201, 8.227390863081822e+183),
    ];

    /// The same for the natural logarithm and [`ln`].
    const LOGARITHMS: &[(f64, f64, f64)] = &[
        (2.0, 0.6931471805599453, 2.3190468138462996e-17),
        (0.5, -0.6931471805599453, -2.3190468138462996e-17),
        (10.0, 2.302585092994046, -2.1707562233822494e-16),
        (3.0, 1.0986122886681098, -9.07129723500153e-17),
        (1000000.0, 13.815510557964274, 4.739031053709008e-16),
        (50000.0, 10.819778284410283, -1.0936785766694684e-16),
        (1.4142135623730951, 0.3465735902799727, 2.4442169414592898e-17),
        (1.4142135623730954, 0.34657359027997287, 1.49179615891969e-17),
        (0.7071067811865476, -0.3465735902799726, 1.2517012761299022e-18),
        (1.0000000000000002, 2.2204460492503128e-16, 3.649214750845877e-48),
        (0.9999999999999999, -1.1102230246251565e-16, -6.162975822039155e-33),
        (0.999, -0.0010005003335835344, -2.5644777003677798e-20),
        (1e-300, -690.7755278982137, -2.3670096176709832e-14),
        (2.2250738585072014e-308, -708.3964185322641, -2.7475416721234714e-14),
        (5e-324, -744.4400719213812, -4.422444340918698e-14),
        (1.7976931348623157e+308, 709.782712893384, 2.3636017071323592e-14),
        (1e+300, 690.7755278982137, 2.3747660028800243e-14),
        (1.4116841449166226, 0.3447834206461243, -1.1392308004225453e-17),
        (1.4051484900715425, 0.340142984084904, 1.3233562203464584e-17),
        (0.7042615825490907, -0.35060542571682346, 1.3801836798845295e-17),
        (1.5765706368246721, 0.45525200510430347, 1.3992022996921837e-17),
        (1.40774881207682, 0.341991841306964, 1.4273124591137648e-17),
        (0.7054383175945902, -0.34893594227755603, -1.4426660392972815e-17),
        (1.3965580334587788, 0.33401066190111267, 1.445132368096975e-17),
        (1.5800313081357378, 0.45744466211833884, 1.4698590932219286e-17),
        (1.6460529681788574, 0.49838028167566745, -1.474668635355423e-17),
        (1.6445789658902292, 0.4974844036700156, -1.476078553514861e-17),
        (1.3715041088619324, 0.3159080272801564, -1.4806008542696612e-17),
        (1.6034243545603895, 0.4721415638342898, -1.4828523735337223e-17),
    ];

    /// The largest error in units in the last place.
    fn worst(function: fn(f64) -> f64, table: &[(f64, f64, f64)]) -> f64 {
        let error = |&(x, high, low): &(f64, f64, f64)| {
            let unit = f64::from_bits(high.abs().to_bits() + 1) - high.abs();
            (((function(x) - high) - low) / unit).abs()
        };
        table.iter().map(error).fold(0.0, f64::max)
    }

    #[test]
    fn both_are_as_close_to_the_true_values_as_promised() {
        assert!(worst(exp, EXPONENTIALS) <= 1.1, "{}", worst(exp, EXPONENTIALS));
        assert!(worst(ln, LOGARITHMS) <= 1.0, "{}", worst(ln, LOGARITHMS));
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
