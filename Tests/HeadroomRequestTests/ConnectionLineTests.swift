import Testing

@testable import HeadroomRequest

/// Whose turn it is to use a request's connection.
@Suite("The line for a request's connection")
struct ConnectionLineTests {
    @Test("One at a time has the turn, in the order of asking")
    func oneAtATime() {
        var line = ConnectionLine<Int>()
        #expect(line.ask(1, for: .statements, 1) == .yours)
        #expect(line.ask(2, for: .statements, 2) == .wait)
        #expect(line.ask(3, for: .statements, 3) == .wait)
        #expect(line.giveBack() == 2)
        #expect(line.isTaken)
        #expect(line.giveBack() == 3)
        #expect(line.giveBack() == nil)
        #expect(!line.isTaken)
    }

    @Test("Who gives up leaves the line, unless the turn has come already")
    func givingUp() {
        var line = ConnectionLine<Int>()
        _ = line.ask(1, for: .statements, 1)
        _ = line.ask(2, for: .statements, 2)
        _ = line.ask(3, for: .statements, 3)
        #expect(line.giveUp(2) == 2)
        #expect(line.giveBack() == 3)
        #expect(line.giveUp(3) == nil)
    }

    @Test("After the end nobody gets a turn but who closes; the first reason holds")
    func ending() {
        var line = ConnectionLine<Int>()
        _ = line.ask(1, for: .statements, 1)
        _ = line.ask(2, for: .statements, 2)
        _ = line.ask(3, for: .closing, 3)
        #expect(line.end(.clientLeft) == [2])
        #expect(line.end(.responded) == [])
        #expect(line.ask(4, for: .statements, 4) == .over(.clientLeft))
        #expect(line.ask(5, for: .rows, 5) == .over(.clientLeft))
        #expect(line.giveBack() == 3)
        #expect(line.ask(6, for: .closing, 6) == .wait)
    }

    @Test("A connection that is promised to rows is for them, and for closing")
    func promise() {
        var line = ConnectionLine<Int>()
        _ = line.ask(1, for: .statements, 1)
        line.promise()
        #expect(line.giveBack() == nil)
        #expect(line.ask(2, for: .statements, 2) == .promised)
        #expect(line.ask(3, for: .closing, 3) == .yours)
        #expect(line.giveBack() == nil)
        #expect(line.ask(4, for: .rows, 4) == .yours)
        #expect(line.giveBack() == nil)
        #expect(line.ask(5, for: .statements, 5) == .yours)
    }
}
