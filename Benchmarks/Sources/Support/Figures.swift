import Glibc

/// What kept a benchmark from measuring.
package struct BenchmarkFailure: Error {
    package var what: String

    package init(what: String) {
        self.what = what
    }
}

extension Array where Element: Comparable {
    /// The middle one of an odd number of figures.
    package var median: Element { sorted()[count / 2] }
}

extension Duration {
    package var seconds: Double { self / .seconds(1) }
}

/// The number with that many decimals, without a zero at the end.
package func rounded(_ number: Double, _ decimals: Int = 2) -> Double {
    let factor = pow(10, Double(decimals))
    return (number * factor).rounded() / factor
}

/// Prints at once, also into a pipe: a run takes minutes.
package func say(_ text: String) {
    print(text)
    fflush(nil)
}
