import NIOHTTP1
package import Reporting

/// A handler that tells of every request to another one: its method, its path without the query, the status.
package func logged(
  _ handler: @escaping RequestHandler, to reporter: Reporter
) -> RequestHandler {
  { request in
    let line = "\(request.method.rawValue.printable) \(loggedPath(request.target))"
    do {
      let response = try await handler(request)
      reporter.detail("\(line): \(response.status.code)")
      return response
    } catch {
      reporter.detail("\(line): the connection ended")
      throw error
    }
  }
}

/// The path of a request, without what gives access to an upload.
func loggedPath(_ target: String) -> String {
  let path = String(target.prefix { $0 != "?" })
  guard let uploads = path.firstRange(of: "/blobs/uploads/"), uploads.upperBound < path.endIndex
  else {
    return path.printable
  }
  return String(path[..<uploads.upperBound]).printable + "…"
}
