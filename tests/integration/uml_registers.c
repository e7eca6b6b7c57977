/* SPDX-License-Identifier: Apache-2.0
 *
 * Loaded into User Mode Linux, which keeps 2,696 bytes of a guest process's registers: all up to AVX-512.  On a processor
 * with more (AMX), this machine's kernel takes nothing but the whole of them, and the guest kernel panics at its first
 * process.  What it does not know of is left as it is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define NT_X86_XSTATE_ 0x202

long ptrace(enum __ptrace_request request, ...)
{
    static long (*next)(int, ...);
    static char whole[1 << 16];
    struct iovec all = {whole, sizeof whole}, *given;
    va_list words;
    va_start(words, request);
    int pid = va_arg(words, int);
    void *address = va_arg(words, void *), *data = va_arg(words, void *);
    va_end(words);
    if (!next)
        next = dlsym(RTLD_NEXT, "ptrace");
    given = data;
    if (request == PTRACE_SETREGSET && (long)address == NT_X86_XSTATE_ &&
        next(PTRACE_GETREGSET, pid, address, &all) == 0 && all.iov_len > given->iov_len) {
        memcpy(whole, given->iov_base, given->iov_len);
        data = &all;
    }
    return next(request, pid, address, data);
}
