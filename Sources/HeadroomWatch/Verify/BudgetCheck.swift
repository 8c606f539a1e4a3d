import Headroom

/// Whether the budget of this host's programs fits under the account's limit, with the reserve beside it.
struct BudgetCheck {
    var limit: AccountLimit

    /// The budget that this program's settings ask for; `nil` for the limit minus the reserve.
    var configured: Int?

    /// How many connections the settings want left free.
    var reserve: Int

    /// The budget that all programs of this host share now.
    var shared: Int

    /// How many of the account's sessions had no slot when the limit was last read.
    var foreign: Int

    var finding: Finding {
        guard let limit = limit.value else { return .skipped("the account's limit is not known") }
        let most = max(shared, configured ?? 0)
        let next = "Lower HEADROOM_BUDGET, or leave it unset: it is the limit minus HEADROOM_RESERVE then."
        guard most <= limit else { return .failed("the budget is \(most), and the limit \(limit)", next: next) }
        // An account of one connection has none to reserve.
        guard limit == 1 || most + reserve <= limit || most == 1 else {
            return .failed("the budget \(most) and the reserve \(reserve) are more than the limit \(limit)", next: next)
        }
        let others = foreign > 0 ? "; \(foreign) sessions had no slot when that was last looked at" : ""
        return .passed("\(most) of \(limit) (\(self.limit.source.words)), \(limit - most) left free\(others)")
    }
}
