import EventModel

/// A made-up visitor and the parts of its rows that never change, already encoded.
struct Visitor: Sendable {
    let unionid: String?
    let customerID: Int64?
    let nickname: String
    let avatar: String?
    let mobile: String?
    let staff: String?
    let createTime: String
    /// The row from its brace to `mobile`.
    let head: [UInt8]
    /// The row from `qwUserId` to the number of `shareFrom.type`.
    let tail: [UInt8]
    let encodedUnionid: [UInt8]
    let encodedStaff: [UInt8]

    init(
        unionid: String?, customerID: Int64?, nickname: String, avatar: String?, mobile: String?,
        staff: String?, createTime: String
    ) {
        (self.unionid, self.customerID, self.nickname) = (unionid, customerID, nickname)
        (self.avatar, self.mobile, self.staff, self.createTime) = (avatar, mobile, staff, createTime)
        encodedUnionid = jsonText(unionid)
        encodedStaff = jsonText(staff)
        let customer = customerID.map { String($0) } ?? "null"
        head =
            bytes(#"{"unionid":"#) + encodedUnionid + bytes(#","customerId":\#(customer),"nickname":"#)
            + jsonText(nickname) + bytes(#","avatar":"#) + jsonText(avatar) + bytes(#","mobile":"#)
            + jsonText(mobile)
        tail =
            bytes(#","qwUserId":"#) + encodedStaff + bytes(#","createTime":"#) + jsonText(createTime)
            + bytes(#","shareFrom":{"type":"#)
    }
}

/// A made-up piece of content, with its part of a row already encoded.
struct Content: Sendable {
    let type: String
    let id: String
    let title: String
    /// The row from `contentType` to `contentTitle`.
    let middle: [UInt8]

    init(type: String, id: String, title: String) {
        (self.type, self.id, self.title) = (type, id, title)
        middle =
            bytes(#","contentType":"#) + jsonText(type) + bytes(#","contentId":"#) + jsonText(id)
            + bytes(#","contentTitle":"#) + jsonText(title)
    }
}

func bytes(_ text: String) -> [UInt8] {
    Array(text.utf8)
}

func jsonText(_ text: String?) -> [UInt8] {
    var writer = JSONWriter(reserving: 64)
    writer.string(text)
    return writer.bytes
}

/// Invents visitors and contents. Every name, number and address is made up: mobiles have a prefix nobody is
/// given.
enum VisitorCast {
    private static let families = Array("王李张刘陈杨黄赵周吴徐孙马朱胡郭何高林罗")
    private static let givens = [
        "伟", "芳", "秀英", "敏", "静", "丽", "强", "磊", "洋", "艳", "勇", "杰", "娟", "涛", "超", "子涵", "欣怡", "雨桐",
    ]
    private static let marks = ["🐶", "🌸", "👨‍👩‍👧", "☕️", "🇨🇳", "🎈", "\u{20BB7}", "~", "(忙碌)", "é"]
    private static let staff = [
        "zhangwei", "lina01", "wangfang", "liu.yang", "chenjie_sh", "HuangMin", "zhao-lei", "sunqian",
    ]
    private static let titles = [
        "夏季新品手册", "\"限时\"优惠说明", "门店名片", "产品使用指南 🎉", "常见问题 A/B", "案例集\\2026", "活动报名\t入口", "会员权益",
    ]
    private static let base64 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")

    static func contents(_ count: Int, using random: inout SplitMix64) -> [Content] {
        (0..<count).map { number in
            Content(
                type: ["1", "4", "1", "2"][number % 4],
                id: hexadecimal(random.next()) + hexadecimal(random.next()),
                title: "\(titles[number % titles.count]) \(number + 1)")
        }
    }

    /// - Parameters:
    ///   - second: the time of the first visit.
    ///   - number: how many visitors there were; makes a nickname unique where no unionid does.
    static func visitor(
        at second: Int64, number: Int, isAnonymous: Bool, using random: inout SplitMix64
    ) -> Visitor {
        let union = "oSim" + String((0..<24).map { _ in base64[random.below(64)] })
        let name = nickname(using: &random)
        let isCustomer = random.chance(0.35) && !isAnonymous
        let born = isCustomer ? second - Int64(random.below(200 * 86_400)) : second - Int64(random.below(3))
        // The vendor's ids carry the time of birth: id / 2048 is milliseconds since 2015 began in China.
        let id = max(0, born - 1_420_041_600) * 1000 * 2048 + Int64(random.below(2_000_000)) + 1
        let mobile = "1000000" + String(10_000 + random.below(10_000)).dropFirst()
        let member = staff[random.below(staff.count)]
        let picture = hexadecimal(random.next())
        return Visitor(
            unionid: isAnonymous ? nil : union, customerID: isCustomer ? id : nil,
            nickname: isAnonymous ? "\(name)\(number)" : name,
            avatar: "https://avatars.example.com/mmopen/vi_32/\(picture)/132",
            mobile: isCustomer && id % 3 != 0 ? mobile : nil, staff: isCustomer ? member : nil,
            createTime: Timestamp(seconds: born).chinaText)
    }

    private static func nickname(using random: inout SplitMix64) -> String {
        let name = String(families[random.below(families.count)]) + givens[random.below(givens.count)]
        let mark = marks[random.below(marks.count)]
        return random.chance(0.4) ? name + mark : name
    }

    private static func hexadecimal(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }
}
