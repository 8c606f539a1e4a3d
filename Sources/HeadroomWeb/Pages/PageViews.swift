import CommandSupport
import HeadroomWatch
import Reporting

/// The frame of every page.
struct PageView {
    /// Which part of the site a page belongs to.
    enum Section {
        case account
        case imports
        case none
    }

    var title: String
    var content: String
    var user: String?
    var formToken: String?
    var isAccount: Bool
    var isImports: Bool
    var assets: Assets.Paths
    var version = headroomVersion

    init(
        _ title: String,
        _ content: String,
        _ context: WebContext,
        _ section: Section,
        _ assets: Assets.Paths,
        formToken: String?
    ) {
        self.title = title
        self.content = content
        self.assets = assets
        self.formToken = formToken
        user = context.visitor?.name
        isAccount = section == .account
        isImports = section == .imports
    }
}

/// A page with a few words.
struct MessageView {
    var title: String
    var text: String
    var advice: String?
    var back: String
    var backText: String
    var isProblem: Bool
}

/// The page on which somebody signs in.
struct SignInView {
    var problem: String?
    var name = ""
    var hasUsers: Bool
    var hasToken: Bool
}

/// A page that names what will happen, before it does.
struct ConfirmView {
    struct Facts {
        var rows: [Fact]
    }

    struct Fact {
        var name: String
        var value: String
    }

    struct Tick {
        var name: String
        var text: String
        var isRequired: Bool
    }

    var title: String
    var what: String
    var facts: Facts?
    var warning: String?
    var tick: Tick?
    var action: String
    var button: String
    var back: String
    var formToken: String?
}

/// When the account was looked at.
struct StampView {
    var machine: String
    var text: String
    var server: String?

    init(_ picture: AccountPicture) {
        machine = ClockText.text(picture.takenAt, .machine)
        text = ClockText.text(picture.takenAt, .seconds)
        server = (picture.view.report.serverVersion ?? picture.lastSeen?.report.serverVersion).map { printable($0) }
    }
}
