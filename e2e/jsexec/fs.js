// The file system for Go in a browser: the module's folder on disk, read only, fetched file by file from the server
// that started us, and an empty, writable one in memory. It replaces Node's `fs`; only the functions that Go calls
// exist. Everything is synchronous underneath, and Go's callbacks are called at once.
"use strict";

(() => {
	const { root, cwd } = self.jsexec.config;
	const S_IFMT = 0o170000, S_IFDIR = 0o040000, S_IFREG = 0o100000, S_IFLNK = 0o120000, S_IFCHR = 0o020000;
	const constants = { O_RDONLY: 0, O_WRONLY: 1, O_RDWR: 2, O_CREAT: 64, O_EXCL: 128, O_TRUNC: 512, O_APPEND: 1024, O_DIRECTORY: 65536 };
	const fail = (code) => { throw Object.assign(new Error(code), { code }); };

	let nextIno = 1;
	const node = (mode, more) => ({ ino: nextIno++, mode, nlink: 1, data: new Uint8Array(0), size: 0, mtime: Date.now(), atime: Date.now(), ...more });
	const folder = (perm) => node(S_IFDIR | perm, { entries: new Map() });
	const isDir = (n) => (n.mode & S_IFMT) === S_IFDIR;
	const isLink = (n) => (n.mode & S_IFMT) === S_IFLNK;

	// On disk: known nodes by path; null means "does not exist".
	const disk = new Map();
	const onDisk = (path) => {
		if (path !== root && !path.startsWith(root + "/")) return null;
		let n = disk.get(path);
		if (n !== undefined) return n;
		const stat = self.jsexec.getJSON("/fs/stat?path=" + encodeURIComponent(path));
		n = stat && node((stat.dir ? S_IFDIR : S_IFREG) | stat.perm, { host: path, size: stat.size, mtime: stat.mtime, atime: stat.mtime });
		disk.set(path, n);
		return n;
	};
	const load = (n) => {
		if (n.host && !n.loaded) {
			n.data = self.jsexec.getBytes("/fs/read?path=" + encodeURIComponent(n.host));
			n.size = n.data.length;
			n.loaded = true;
		}
		return n;
	};

	const memory = folder(0o755);
	memory.entries.set("tmp", folder(0o777));

	let here = cwd;
	const resolve = (...segments) => {
		let parts = [];
		for (const segment of [here, ...segments]) {
			if (segment.startsWith("/")) parts = [];
			for (const p of segment.split("/")) {
				if (p === "..") parts.pop();
				else if (p !== "" && p !== ".") parts.push(p);
			}
		}
		return "/" + parts.join("/");
	};
	const split = (path) => {
		const at = path.lastIndexOf("/");
		return [path.slice(0, at) || "/", path.slice(at + 1)];
	};

	// find returns the node at path, or null. It follows a symbolic link in the last step unless told otherwise.
	const find = (path, follow = true, depth = 0) => {
		if (depth > 40) fail("ELOOP");
		path = resolve(path);
		const host = onDisk(path);
		if (host) return host;
		let n = memory;
		const parts = path.split("/").filter(Boolean);
		for (let i = 0; i < parts.length; i++) {
			if (!isDir(n)) fail("ENOTDIR");
			const next = n.entries.get(parts[i]);
			if (!next) return null;
			if (isLink(next) && (follow || i < parts.length - 1)) {
				const target = resolve("/" + parts.slice(0, i).join("/"), next.target, ...parts.slice(i + 1));
				return find(target, follow, depth + 1);
			}
			n = next;
		}
		return n;
	};
	const must = (path, follow) => find(path, follow) || fail("ENOENT");
	const parentOf = (path) => {
		const [dir, name] = split(resolve(path));
		const parent = must(dir);
		if (parent.host) fail("EROFS");
		if (!isDir(parent)) fail("ENOTDIR");
		return [parent, name];
	};
	const writable = (n) => { if (n.host) fail("EROFS"); return n; };
	const resize = (n, size) => {
		if (size > n.data.length) {
			const grown = new Uint8Array(Math.max(size, n.data.length * 2));
			grown.set(n.data.subarray(0, n.size));
			n.data = grown;
		} else if (size < n.size) {
			n.data.fill(0, size, n.size);
		}
		n.size = size;
		n.mtime = Date.now();
	};
	const stat = (n) => ({
		dev: 1, ino: n.ino, mode: n.mode, nlink: n.nlink, uid: 0, gid: 0, rdev: 0, size: n.size, blksize: 4096, blocks: Math.ceil(n.size / 512),
		atimeMs: n.atime, mtimeMs: n.mtime, ctimeMs: n.mtime, isDirectory: () => isDir(n),
	});

	const device = node(S_IFCHR | 0o620, { nlink: 1 });
	const open = new Map([[0, { node: device }], [1, { node: device }], [2, { node: device }]]);
	let nextFD = 3;
	const opened = (fd) => open.get(fd) || fail("EBADF");
	const put = (parent, name, n) => { parent.entries.set(name, n); parent.mtime = Date.now(); };
	const take = (path, wantDir) => {
		const [parent, name] = parentOf(path);
		const n = parent.entries.get(name) || fail("ENOENT");
		if (wantDir && !isDir(n)) fail("ENOTDIR");
		if (!wantDir && isDir(n)) fail("EISDIR");
		if (wantDir && n.entries.size > 0) fail("ENOTEMPTY");
		parent.entries.delete(name);
		n.nlink--;
	};
	const touch = (n, atime, mtime) => { writable(n); n.atime = atime * 1000; n.mtime = mtime * 1000; };
	const chmod = (n, mode) => { writable(n); n.mode = (n.mode & S_IFMT) | (mode & 0o7777); };

	const calls = {
		open(path, flags, perm) {
			let n = find(path);
			if (n && flags & constants.O_CREAT && flags & constants.O_EXCL) fail("EEXIST");
			if (!n) {
				if (!(flags & constants.O_CREAT)) fail("ENOENT");
				const [parent, name] = parentOf(path);
				put(parent, name, n = node(S_IFREG | (perm & 0o7777)));
			}
			const writes = flags & (constants.O_WRONLY | constants.O_RDWR);
			if (isDir(n) && writes) fail("EISDIR");
			if (!isDir(n) && flags & constants.O_DIRECTORY) fail("ENOTDIR");
			if (writes || flags & constants.O_TRUNC) writable(n);
			if (flags & constants.O_TRUNC) resize(n, 0);
			if (!isDir(n)) load(n);
			const fd = nextFD++;
			open.set(fd, { node: n, pos: 0, flags });
			return fd;
		},
		close(fd) { opened(fd); open.delete(fd); },
		read(fd, buffer, offset, length, position) {
			const f = opened(fd);
			if (f.node === device) return 0;
			if (isDir(f.node)) fail("EISDIR");
			const from = position ?? f.pos;
			const bytes = f.node.data.subarray(from, Math.min(from + length, f.node.size));
			buffer.set(bytes, offset);
			if (position === null) f.pos += bytes.length;
			return bytes.length;
		},
		write(fd, buffer, offset, length, position) {
			const bytes = buffer.subarray(offset, offset + length);
			const f = opened(fd);
			if (f.node === device) return self.jsexec.write(fd, bytes);
			if (!(f.flags & (constants.O_WRONLY | constants.O_RDWR))) fail("EBADF");
			const at = f.flags & constants.O_APPEND ? f.node.size : position ?? f.pos;
			if (at + length > f.node.size) resize(f.node, at + length);
			f.node.data.set(bytes, at);
			f.node.mtime = Date.now();
			if (position === null) f.pos = at + length;
			return length;
		},
		stat: (path) => stat(must(path)),
		lstat: (path) => stat(must(path, false)),
		fstat: (fd) => stat(opened(fd).node),
		readdir(path) {
			const n = must(path);
			if (!isDir(n)) fail("ENOTDIR");
			return n.host ? self.jsexec.getJSON("/fs/list?path=" + encodeURIComponent(n.host)) : [...n.entries.keys()];
		},
		mkdir(path, perm) {
			if (find(path, false)) fail("EEXIST");
			const [parent, name] = parentOf(path);
			put(parent, name, folder(perm & 0o7777));
		},
		unlink(path) { take(path, false); },
		rmdir(path) { take(path, true); },
		rename(from, to) {
			const [parent, name] = parentOf(from);
			const n = parent.entries.get(name) || fail("ENOENT");
			const [toParent, toName] = parentOf(to);
			if (isDir(n) && (resolve(to) + "/").startsWith(resolve(from) + "/") && resolve(to) !== resolve(from)) fail("EINVAL");
			const old = toParent.entries.get(toName);
			if (old && old !== n) take(to, isDir(n));
			parent.entries.delete(name);
			put(toParent, toName, n);
		},
		link(path, link) {
			const n = writable(must(path, false));
			if (isDir(n)) fail("EPERM");
			if (find(link, false)) fail("EEXIST");
			const [parent, name] = parentOf(link);
			put(parent, name, n);
			n.nlink++;
		},
		symlink(target, link) {
			if (find(link, false)) fail("EEXIST");
			const [parent, name] = parentOf(link);
			put(parent, name, node(S_IFLNK | 0o777, { target, size: target.length }));
		},
		readlink(path) {
			const n = must(path, false);
			return isLink(n) ? n.target : fail("EINVAL");
		},
		truncate(path, size) { resize(writable(must(path)), size); },
		ftruncate(fd, size) { resize(writable(opened(fd).node), size); },
		chmod(path, mode) { chmod(must(path), mode); },
		fchmod(fd, mode) { chmod(opened(fd).node, mode); },
		chown(path) { writable(must(path)); },
		lchown(path) { writable(must(path, false)); },
		fchown(fd) { writable(opened(fd).node); },
		utimes(path, atime, mtime) { touch(must(path), atime, mtime); },
		fsync(fd) { opened(fd); },
	};

	self.fs = { constants };
	for (const [name, call] of Object.entries(calls)) {
		self.fs[name] = (...args) => {
			const callback = args.pop();
			let result;
			try {
				result = call(...args);
			} catch (e) {
				if (!e.code) throw e;
				callback(e);
				return;
			}
			callback(null, result);
		};
	}
	self.path = { resolve };
	self.process = {
		pid: 1, ppid: 0, argv: [], env: {},
		getuid: () => 0, getgid: () => 0, geteuid: () => 0, getegid: () => 0, getgroups: () => [0], umask: () => 0o022,
		cwd: () => here,
		chdir(path) {
			if (!isDir(must(path))) fail("ENOTDIR");
			here = resolve(path);
		},
	};
})();
