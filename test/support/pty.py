"""Runs a command in a pseudo-terminal of its own: pty.py ROWS COLUMNS COMMAND [ARGUMENT...]

Standard input is what is typed, standard output what the terminal shows. Descriptor 3 takes lines `resize ROWS COLUMNS`
and answers `started PID`, then `exited CODE` or `killed SIGNAL`. The end of standard input hangs up the terminal.
"""

import errno
import fcntl
import os
import selectors
import signal
import struct
import sys
import termios


def resize(terminal, rows, columns):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", int(rows), int(columns), 0, 0))


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def read_terminal(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError as error:
        # What Linux says when nobody holds the other end any more.
        if error.errno != errno.EIO:
            raise
        return b""


def main():
    rows, columns, *command = sys.argv[1:]
    begun, begins = os.pipe()
    child, terminal = os.forkpty()
    if child == 0:
        resize(0, rows, columns)
        os.close(3)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(command[0], command)
    # The pipe closes once the command runs in the child's place.
    os.close(begins)
    os.read(begun, 1)
    write_all(3, b"started %d\n" % child)

    selector = selectors.DefaultSelector()
    for descriptor in (0, 3, terminal):
        selector.register(descriptor, selectors.EVENT_READ)
    orders = b""
    open_ended = True
    while open_ended:
        for key, _ in selector.select():
            if key.fd == terminal:
                data = read_terminal(terminal)
                write_all(1, data)
                open_ended = data != b""
            elif key.fd == 0:
                data = os.read(0, 65536)
                write_all(terminal, data)
                if data == b"":
                    open_ended = False
            else:
                data = os.read(3, 65536)
                if data == b"":
                    selector.unregister(3)
                *lines, orders = (orders + data).split(b"\n")
                for line in lines:
                    resize(terminal, *line.split()[1:])
            if not open_ended:
                break
    os.close(terminal)

    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        write_all(3, b"killed %d\n" % os.WTERMSIG(status))
    else:
        write_all(3, b"exited %d\n" % os.WEXITSTATUS(status))


main()
