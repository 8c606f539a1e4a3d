/// What somebody is told, with the facts beside it.
package struct Alert: Sendable {
    /// The alert in one line: a mail's subject.
    package var title: String
    /// What happened.
    package var message: String
    /// What to do; empty when there is nothing to do.
    package var advice: String
    /// The facts by their names, in a fixed order: a command's environment (`HEADROOM_` before each), and a webhook's keys in
    /// lower case.
    package var facts: [(name: String, value: String)]

    /// Creates an alert.
    package init(title: String, message: String, advice: String, facts: [(name: String, value: String)]) {
        self.title = title
        self.message = message
        self.advice = advice
        self.facts = facts
    }
}
