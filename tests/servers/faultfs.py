#!/usr/bin/python3
"""A file system that passes all on to a directory, and fails where it is told to: what a mount of a file server does to its clients.

Started by faultfs-up with BACKING MOUNT RULES HITS. RULES is a file of JSON, which is read again whenever it was replaced; where there
is none, nothing fails:

  {"generation": 2,           files that were opened under another generation are stale (ESTALE), as after a restart of the server
   "rules": [{"op": "write",  getattr, readdir, open, create, read, write, truncate, fsync, flush, rename, link, unlink, mkdir or rmdir
              "path": "^/a",  a pattern of paths within the mount, of directories too; all where it is absent
              "after": 2,     does nothing the first so many times
              "times": 1,     and nothing once it has done it so many times
              "delay": 0.5,   waits for so many seconds
              "lose": true,   says that it wrote, and does not: the client keeps back what the server may refuse later
              "short": 100,   writes so many bytes at the most
              "late": true,   renames before it fails: the answer is lost
              "errno": "EIO"}]}

All rules that match are heeded at once. What flush says is what close(2) says. Each time a rule does something, a line of its op and the path is added to the file HITS. A file
that is removed while it is open gets a hidden name, as on NFS.
"""
import errno
import json
import os
import re
import sys
import threading
import time

from fusepy import FUSE, FuseOSError, Operations

STAT = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime", "st_mtime", "st_ctime", "st_blocks", "st_ino")
STATFS = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_favail", "f_ffree", "f_files", "f_flag", "f_frsize", "f_namemax")


class FaultFs(Operations):
    def __init__(self, backing, rules, hits):
        self.backing, self.rules, self.hits = backing, rules, hits
        self.guard = threading.Lock()
        self.known = None
        self.faults = {}
        self.generations = {}

    def load(self):
        try:
            with open(self.rules, encoding="utf-8") as file:
                stat = os.fstat(file.fileno())
                known = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
                if known != self.known:
                    self.faults, self.known = json.load(file), known
        except FileNotFoundError:
            self.faults, self.known = {}, None
        return self.faults

    def meet(self, op, path, fh=None):
        """Does what the rules say, and returns the one that says how the call is made."""
        delay, error, met = 0, None, {}
        with self.guard:
            faults = self.load()
            if fh is not None and self.generations[fh] != faults.get("generation", 0):
                raise FuseOSError(errno.ESTALE)

            for rule in faults.get("rules", []):
                if rule["op"] != op or not re.search(rule.get("path", ""), path) or rule.get("times") == 0:
                    continue
                if rule.get("after", 0) > 0:
                    rule["after"] -= 1
                    continue

                if "times" in rule:
                    rule["times"] -= 1
                delay += rule.get("delay", 0)
                if not rule.get("late"):
                    error = error or rule.get("errno")
                met = rule if "lose" in rule or "short" in rule or "late" in rule else met
                with open(self.hits, "a", encoding="utf-8") as hits:
                    print(op, path, file=hits)

        time.sleep(delay)
        if error:
            raise FuseOSError(getattr(errno, error))
        return met

    def at(self, path):
        return self.backing + path

    def opened(self, fh):
        with self.guard:
            self.generations[fh] = self.load().get("generation", 0)
        return fh

    def getattr(self, path, fh=None):
        self.meet("getattr", path)
        stat = os.lstat(self.at(path))
        return {name: getattr(stat, name) for name in STAT}

    def readdir(self, path, fh):
        self.meet("readdir", path)
        return [".", "..", *os.listdir(self.at(path))]

    def open(self, path, flags):
        self.meet("open", path)
        return self.opened(os.open(self.at(path), flags))

    def create(self, path, mode, fi=None):
        self.meet("create", path)
        return self.opened(os.open(self.at(path), os.O_RDWR | os.O_CREAT, mode))

    def read(self, path, size, offset, fh):
        self.meet("read", path, fh)
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        met = self.meet("write", path, fh)
        return len(data) if met.get("lose") else os.pwrite(fh, data[:met.get("short", len(data))], offset)

    def truncate(self, path, length, fh=None):
        self.meet("truncate", path, fh)
        os.truncate(self.at(path) if fh is None else fh, length)

    # What is here is thrown away after the tests, so that nothing waits for the disk.
    def fsync(self, path, datasync, fh):
        self.meet("fsync", path, fh)

    def fsyncdir(self, path, datasync, fh):
        self.meet("fsync", path)

    def flush(self, path, fh):
        self.meet("flush", path, fh)

    def release(self, path, fh):
        with self.guard:
            del self.generations[fh]
        os.close(fh)

    def rename(self, old, new):
        met = self.meet("rename", old)
        os.rename(self.at(old), self.at(new))
        if met.get("late"):
            raise FuseOSError(getattr(errno, met["errno"]))

    def unlink(self, path):
        self.meet("unlink", path)
        os.unlink(self.at(path))

    def link(self, new, old):
        self.meet("link", new)
        os.link(self.at(old), self.at(new))

    def mkdir(self, path, mode):
        self.meet("mkdir", path)
        os.mkdir(self.at(path), mode)

    def rmdir(self, path):
        self.meet("rmdir", path)
        os.rmdir(self.at(path))

    def chmod(self, path, mode):
        os.chmod(self.at(path), mode)

    def chown(self, path, uid, gid):
        os.lchown(self.at(path), uid, gid)

    def utimens(self, path, times=None):
        os.utime(self.at(path), times)

    def statfs(self, path):
        stat = os.statvfs(self.backing)
        return {name: getattr(stat, name) for name in STATFS}


backing, mount, rules, hits = sys.argv[1:]
FUSE(FaultFs(backing, rules, hits), mount, foreground=True, fsname="faultfs", use_ino=True, big_writes=True, attr_timeout=0, entry_timeout=0,
     default_permissions=True, allow_other=True)
