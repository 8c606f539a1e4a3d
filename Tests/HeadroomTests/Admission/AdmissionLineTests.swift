import TestSupport
import Testing

@testable import Headroom

/// The line of an account over many members, played in memory: every interleaving of its steps keeps the promises.
@Suite struct AdmissionLineTests {
    private typealias Line = AdmissionLine<UInt64>

    @Test func `slots are free until the budget is used up, and the next one waits`() {
        let host = Host(limit: 3, reserve: 1)
        var one = host.join()
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(one.arrive(at: 2) == .admitted(1))
        #expect(one.arrive(at: 3) == .waits)
        #expect(one.giveBack(0).granted == [.init(waiter: 1, slot: 0)])
    }

    @Test func `who came first is served first, whichever member it is of`() {
        let host = Host(limit: 1, reserve: 0)
        var (one, two, three) = (host.join(), host.join(), host.join())
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(three.arrive(at: 2) == .waits)
        #expect(two.arrive(at: 3) == .waits)
        #expect(one.arrive(at: 4) == .waits)
        // The one that gives back waits too, but came last.
        #expect(one.giveBack(0).wake == [three.member])
        #expect(two.advance().granted.isEmpty)
        #expect(three.advance().granted == [.init(waiter: 1, slot: 0)])
        #expect(three.giveBack(0).wake == [two.member])
        #expect(two.advance().granted == [.init(waiter: 1, slot: 0)])
    }

    @Test func `a task that comes does not pass those who wait, although a slot is free`() {
        let host = Host(limit: 1, reserve: 0)
        var (one, two, three) = (host.join(), host.join(), host.join())
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(two.arrive(at: 2) == .waits)
        #expect(one.giveBack(0).wake == [two.member])
        // Free, but two has been told and is on its way.
        let work = three.arriveWork(at: 3)
        #expect(work.granted.isEmpty)
        #expect(two.advance().granted.count == 1)
    }

    @Test func `a waiter that gives up passes its wake-up on`() {
        let host = Host(limit: 1, reserve: 0)
        var (one, two, three) = (host.join(), host.join(), host.join())
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(two.arrive(at: 2) == .waits)
        #expect(three.arrive(at: 3) == .waits)
        #expect(one.giveBack(0).wake == [two.member])
        #expect(two.leave(1).wake == [three.member])
        #expect(three.advance().granted.count == 1)
    }

    @Test func `a dead holder's slot is found, and its taker knows`() {
        let host = Host(limit: 2, reserve: 1)
        var (one, two) = (host.join(), host.join())
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(two.arrive(at: 2) == .waits)
        host.kill(one.member)
        #expect(two.advance().granted.isEmpty, "Only a look at all locks finds the dead.")
        #expect(two.advance(lookAtAll: true).granted == [.init(waiter: 1, slot: 0, isInherited: true)])
    }

    @Test func `a dead waiter is passed over, and its place cleared`() {
        let host = Host(limit: 1, reserve: 0)
        var (one, two, three) = (host.join(), host.join(), host.join())
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(two.arrive(at: 2) == .waits)
        #expect(three.arrive(at: 3) == .waits)
        host.kill(two.member)
        // Its death may not have been heard of yet: the wake-up then goes to the dead. Whoever hears looks by itself.
        #expect(one.giveBack(0).wake == [two.member])
        #expect(three.advance(lookAtAll: true).granted.count == 1)
        #expect(host.store.table[member: two.member] == SlotTable.Member())
    }

    @Test func `a slot stays in its process for one who came within the tolerance, and no longer`() {
        let host = Host(limit: 1, reserve: 0)
        var (one, two) = (host.join(tolerance: 10), host.join(tolerance: 10))
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(two.arrive(at: 2) == .waits)
        #expect(one.arrive(at: 11) == .waits)
        #expect(one.arrive(at: 13) == .waits)
        let kept = one.giveBack(0)
        #expect(kept.granted == [.init(waiter: 1, slot: 0)])
        #expect(kept.wake.isEmpty)
        #expect(one.giveBack(0).wake == [two.member])
    }

    @Test func `the tolerance is half of the time that the first of all has waited`() {
        let host = Host(limit: 1, reserve: 0)
        var (one, two) = (host.join(tolerance: 1_000), host.join(tolerance: 1_000))
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(two.arrive(at: 100) == .waits)
        #expect(one.arrive(at: 110) == .waits)
        #expect(one.giveBack(0, at: 119).wake == [two.member])
        #expect(two.advance().granted.count == 1)
        #expect(two.arrive(at: 150) == .waits)
        // Now one's task came first; two's own, 40 later, may have it once that has waited for 80.
        #expect(two.giveBack(0, at: 190).granted.count == 1)
    }

    @Test func `a stopped waiter is passed over when it has left a free slot alone for a whole round`() {
        let host = Host(limit: 1, reserve: 0)
        var (one, stopped, three) = (host.join(), host.join(), host.join())
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(stopped.arrive(at: 2) == .waits)
        #expect(three.arrive(at: 3) == .waits)
        #expect(one.giveBack(0).wake == [stopped.member])
        #expect(three.overtake().granted.isEmpty)
        #expect(three.overtake().granted.count == 1)
        // It goes on, and finds itself first in line again.
        #expect(three.giveBack(0).wake == [stopped.member])
        #expect(stopped.advance().granted.count == 1)
    }

    @Test func `a smaller limit holds at once, and slots behind it are not counted twice`() {
        let host = Host(limit: 5, reserve: 0)
        var (one, two) = (host.join(), host.join())
        for slot in 0..<5 { #expect(one.arrive(at: UInt64(slot + 1)) == .admitted(slot)) }
        host.store.table.limit = 2
        _ = one.giveBack(0)
        _ = one.giveBack(1)
        // 2, 3 and 4 are still held: more than the new budget.
        #expect(two.arrive(at: 10) == .waits)
        _ = one.giveBack(3)
        _ = one.giveBack(4)
        #expect(two.advance().granted.map(\.slot) == [0])
        #expect(two.arrive(at: 11) == .waits)
        _ = one.giveBack(2)
        #expect(two.advance().granted.map(\.slot) == [1])
    }

    @Test func `a larger limit lets somebody in`() {
        let host = Host(limit: 2, reserve: 1)
        var one = host.join()
        #expect(one.arrive(at: 1) == .admitted(0))
        #expect(one.arrive(at: 2) == .waits)
        host.store.table.limit = 3
        #expect(one.advance().granted.map(\.slot) == [1])
    }

    @Test func `of several budgets the smallest holds, for as long as its member lives`() {
        let host = Host(limit: 10, reserve: 1)
        var (one, two) = (host.join(), host.join(budget: 2))
        #expect(two.arrive(at: 1) == .admitted(0))
        #expect(one.arrive(at: 2) == .admitted(1))
        #expect(one.arrive(at: 3) == .waits)
        host.kill(two.member)
        #expect(one.advance().granted.map(\.slot) == [2])
    }

    @Test func `a limit of 1 leaves one for the budget, whatever the reserve`() {
        let host = Host(limit: 1, reserve: 1)
        var one = host.join()
        #expect(one.arrive(at: 1) == .admitted(0))
    }

    @Test func `members that keep idle connections are told when a task begins to wait`() {
        let host = Host(limit: 1, reserve: 0)
        var (keeper, other) = (host.join(), host.join())
        keeper.line.change(host.store.seen(by: keeper.member)) { $0.keepsIdle = true }
        #expect(keeper.arrive(at: 1) == .admitted(0))
        #expect(other.arriveWork(at: 2).wake == [keeper.member])
    }

    /// Members come, wait, give up, give back, die and are stopped in any order, with every wake-up delivered late and in
    /// any order: there are never more holders than the budget, nobody is passed by one who came later (but for the
    /// stopped), and in the end everybody who still waits is served.
    @Test(arguments: 0..<(isFullRun ? 4_000 : 400))
    func `no interleaving admits too many, forgets a waiter or changes the order`(seed: Int) {
        var random = Seeded(UInt64(seed))
        let budget = Int.random(in: 1...4, using: &random)
        let tolerance = UInt64(seed % 2 == 0 ? 0 : 20)
        let host = Host(limit: budget, reserve: 0)
        var members = (0..<Int.random(in: 2...5, using: &random)).map { _ in host.join(tolerance: tolerance) }
        var pending: [Int] = []
        var clock: UInt64 = 0
        var arrivals: [String: UInt64] = [:]
        var isOrderly = true

        func perform(_ index: Int, _ work: Done) {
            pending += work.wake
            for grant in work.granted {
                let ticket = arrivals.removeValue(forKey: "\(members[index].member) \(grant.waiter)") ?? 0
                // Nobody alive who has waited longer is left behind, but within the tolerance.
                if let first = arrivals.values.min(), first + tolerance < ticket { isOrderly = false }
            }
        }
        func deathIsHeard() {
            for index in members.indices where members[index].line.waiting > 0 {
                perform(index, members[index].advance(lookAtAll: true))
            }
        }
        for _ in 0..<300 {
            clock += 1
            let index = members.indices.randomElement(using: &random) ?? 0
            switch Int.random(in: 0..<20, using: &random) {
            case 0..<7:
                let work = members[index].arriveWork(at: clock)
                if work.isWaiting {
                    arrivals["\(members[index].member) \(work.waiter)"] = clock
                    perform(index, work)
                } else if let first = arrivals.values.min(), first < clock {
                    isOrderly = false
                }
            case 7..<13:
                if let slot = members[index].line.held.randomElement(using: &random) {
                    perform(index, members[index].giveBack(slot))
                }
            case 13..<14:
                let own = arrivals.keys.filter { $0.hasPrefix("\(members[index].member) ") }.sorted()
                if let key = own.randomElement(using: &random), let waiter = UInt64(key.split(separator: " ")[1]) {
                    arrivals[key] = nil
                    perform(index, members[index].leave(waiter))
                }
            case 14 where members.count > 1:
                let dead = members[index].member
                host.kill(dead)
                members.remove(at: index)
                for key in arrivals.keys where key.hasPrefix("\(dead) ") { arrivals[key] = nil }
                members.append(host.join(tolerance: tolerance))
                deathIsHeard()
            default:
                guard !pending.isEmpty else { continue }
                let woken = pending.remove(at: Int.random(in: 0..<pending.count, using: &random))
                if let index = members.firstIndex(where: { $0.member == woken }) {
                    perform(index, members[index].advance())
                }
            }
            let held = members.reduce(0) { $0 + $1.line.held.count }
            #expect(held <= budget)
            #expect(host.store.lockedSlots == held)
        }
        #expect(isOrderly)
        // Everything is given back, and every wake-up arrives: then nobody waits any more.
        for _ in 0..<10_000 where members.contains(where: { $0.line.waiting > 0 }) || !pending.isEmpty {
            if let woken = pending.popLast() {
                if let index = members.firstIndex(where: { $0.member == woken }) {
                    perform(index, members[index].advance())
                }
            } else if let index = members.firstIndex(where: { !$0.line.held.isEmpty }) {
                for slot in members[index].line.held { perform(index, members[index].giveBack(slot)) }
            } else {
                break
            }
        }
        #expect(members.allSatisfy { $0.line.waiting == 0 }, "A waiter was forgotten.")
    }
}

/// What a step has led to, in a form that tests can compare.
private struct Done: Equatable {
    struct Grant: Equatable {
        var waiter: UInt64
        var slot: Int
        var isInherited = false
    }

    var granted: [Grant] = []
    var wake: [Int] = []
    var isWaiting = false
    var waiter: UInt64 = 0

    init(_ work: AdmissionLine<UInt64>.Work) {
        granted = work.granted.map { Grant(waiter: $0.waiter, slot: $0.slot.index, isInherited: $0.slot.isInherited) }
        wake = work.wake
    }
}

private enum Arrived: Equatable {
    case admitted(Int)
    case waits
}

/// A host's processes on one file in memory, with locks as the kernel has them.
private final class Host {
    let store = Store()
    let reserve: Int

    init(limit: Int, reserve: Int) {
        self.reserve = reserve
        store.table.limit = limit
    }

    func join(budget: Int = 0, tolerance: UInt64 = 0) -> Player {
        let member = (0..<SlotTable.memberCount).first { store.owners[.member($0)] == nil } ?? 0
        store.nextOwner += 1
        store.ownerOfMember[member] = store.nextOwner
        store.owners[.member(member)] = store.nextOwner
        store.table.membersUsed = max(store.table.membersUsed, member + 1)
        var record = SlotTable.Member()
        record.isPresent = true
        record.budget = budget
        record.reserve = reserve
        var player = Player(
            member: member,
            line: AdmissionLine(member: member, record: record, tolerance: tolerance),
            store: store.seen(by: member)
        )
        player.line.change(player.store) { _ in }
        return player
    }

    /// The kernel drops the locks of a process that ends; its marks stay.
    func kill(_ member: Int) {
        let owner = store.ownerOfMember[member]
        store.owners = store.owners.filter { $0.value != owner }
    }
}

private final class Store {
    var table = SlotTable()
    var owners: [LockByte: Int] = [:]
    var ownerOfMember: [Int: Int] = [:]
    var nextOwner = 0

    var lockedSlots: Int {
        owners.keys.count { if case .slot = $0 { true } else { false } }
    }

    func seen(by member: Int) -> View { View(store: self, owner: ownerOfMember[member] ?? 0) }

    struct View: SlotStore {
        var hostMoment: HostMoment { HostMoment(time: 0, boot: 0) }
        let store: Store
        let owner: Int

        func read(into table: inout SlotTable) { table = store.table }

        func tryLock(_ place: LockByte) -> Bool {
            if let other = store.owners[place], other != owner { return false }
            store.owners[place] = owner
            return true
        }

        func unlock(_ place: LockByte) { store.owners[place] = nil }

        func isLockedByOther(_ place: LockByte) -> Bool { store.owners[place].map { $0 != owner } ?? false }

        func isMarkedHeld(_ slot: Int) -> Bool { store.table.isHeld(slot) }

        func writeMark(_ slot: Int, held: Bool) { store.table.mark(slot, held: held) }

        func writeMember(_ index: Int, _ table: SlotTable) { store.table[member: index] = table[member: index] }
    }
}

/// One member of the host.
private struct Player {
    let member: Int
    var line: AdmissionLine<UInt64>
    let store: Store.View

    mutating func arrive(at now: UInt64) -> Arrived {
        switch line.arrive(at: now, store, waiter: { $0 }) {
        case .admitted(let slot): .admitted(slot.index)
        case .waits: .waits
        }
    }

    mutating func arriveWork(at now: UInt64) -> Done {
        switch line.arrive(at: now, store, waiter: { $0 }) {
        case .admitted:
            return Done(AdmissionLine<UInt64>.Work())
        case .waits(let waiter, let work):
            var done = Done(work)
            done.isWaiting = true
            done.waiter = waiter
            return done
        }
    }

    mutating func giveBack(_ slot: Int, at now: UInt64 = 1_000_000) -> Done {
        Done(line.giveBack(slot, at: now, store))
    }

    mutating func leave(_ waiter: UInt64) -> Done { Done(line.leave(waiter, store)) }

    mutating func advance(lookAtAll: Bool = false) -> Done { Done(line.advance(store, lookAtAll: lookAtAll)) }

    mutating func overtake() -> Done { Done(line.overtake(store)) }
}
