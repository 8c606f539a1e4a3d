package import Headroom
package import HeadroomWatch

/// What `status` knows: the server's view, and this host's.
package struct StatusView: Sendable {
    package var report: AccountReport
    package var settings: DatabaseSettings

    /// The slots on this host; `nil` when no program of it has used the account through Headroom yet.
    package var slots: SlotReport?

    /// The locks by name that programs of this host hold: workers, and what `headroom run --lock` runs.
    package var locks: [HostLockReport]

    /// The hosts that share the account; `nil` where this is the only one, or they could not be asked.
    package var hosts: HostsReport?

    /// What goes through the front door; `nil` when there is none.
    package var frontDoor: Result<FrontDoorReport, DatabaseError>?

    package init(_ report: AccountReport, settings: DatabaseSettings) async {
        self.report = report
        self.settings = settings
        slots = try? SlotReport(settings)
        locks = HostLockReport.held(stateFolder: settings.stateFolder)
        if settings.hosts != nil {
            hosts = try? await Database(settings, share: .reserve)
                .withConnection(timeout: .seconds(5)) { try await HostsReport.read($0) }
        }
        guard let path = settings.frontDoorStatistics else { return }
        do {
            frontDoor = .success(try await FrontDoorReport.ask(path))
        } catch let error as DatabaseError {
            frontDoor = .failure(error)
        } catch {
            // Cancelled: nobody reads it.
        }
    }

    /// The one thing to do next.
    package var advice: String { report.advice(slots) }

    /// The slots that are held for longer than their programs expected.
    package var heldTooLong: [SlotReport.Held] { (slots?.held ?? []).filter(\.holder.isHeldTooLong) }
}
