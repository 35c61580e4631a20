/* SPDX-License-Identifier: MIT */
/*
 * Who may open what on Windows: the access lists are read back from live objects, entry by entry,
 * and the system is asked whom they let in. Wine has one Unix user for all, so
 * whether a foreign user is turned away is the system's word (AccessCheck), not an attempt.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "os/win32/win32.h"
#include "os_fixture.h"

#include <aclapi.h>
#include <sddl.h>

static PSID own_sid;

/* Exactly the entries that are expected: each allows one SID, none is inherited from above. */
static void
assert_allows(PACL list, unsigned count, const PSID *sids)
{
    assert_non_null(list); /* an absent list would let everybody in */
    assert_int_equal(list->AceCount, count);
    for (unsigned i = 0; i < count; i++) {
        ACCESS_ALLOWED_ACE *entry = NULL;
        assert_true(GetAce(list, i, (void **)&entry));
        assert_int_equal(entry->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
        assert_false(entry->Header.AceFlags & INHERITED_ACE);
        assert_true(EqualSid(&entry->SidStart, sids[i]));
    }
}

static void
the_private_list_names_this_user_and_nobody_else(void **state)
{
    struct win32_security security;
    BOOL present = FALSE, defaulted = TRUE;
    PACL list = NULL;
    PSID owner = NULL;
    SECURITY_DESCRIPTOR_CONTROL control = 0;
    DWORD revision = 0;
    assert_true(win32_security_init_private(&security));
    assert_true(GetSecurityDescriptorOwner(security.descriptor, &owner, &defaulted));
    assert_true(EqualSid(owner, own_sid));
    assert_true(GetSecurityDescriptorDacl(security.descriptor, &present, &list, &defaulted));
    assert_true(present);
    assert_allows(list, 1, &own_sid);
    assert_true(GetSecurityDescriptorControl(security.descriptor, &control, &revision));
    assert_true(control & SE_DACL_PROTECTED);
    win32_security_fini(&security);
}

/* The system's answer for a token: may it open with these rights? */
static bool
may_open(HANDLE token, PSECURITY_DESCRIPTOR descriptor)
{
    GENERIC_MAPPING mapping = {FILE_GENERIC_READ, FILE_GENERIC_WRITE, FILE_GENERIC_EXECUTE,
                               FILE_ALL_ACCESS};
    unsigned char room[1024];
    DWORD bytes = sizeof(room), granted = 0;
    BOOL allowed = FALSE;
    assert_true(AccessCheck(descriptor, token, FILE_GENERIC_READ, &mapping,
                            (PRIVILEGE_SET *)(void *)room, &bytes, &granted, &allowed));
    return allowed;
}

static void
another_users_list_turns_this_user_away(void **state)
{
    struct win32_security ours, theirs;
    HANDLE own = NULL, asking = NULL;
    /* The same lists, one with this user's SID and one with somebody's. AccessCheck() wants a
     * group.
     */
    assert_true(win32_security_init(&ours, "O:%sG:%sD:P(A;;GA;;;%s)"));
    assert_true(win32_security_init(&theirs, "O:S-1-5-21-1-2-3-1001G:S-1-5-21-1-2-3-1001"
                                             "D:P(A;;GA;;;S-1-5-21-1-2-3-1001)"));
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &own));
    assert_true(DuplicateTokenEx(own, TOKEN_ALL_ACCESS, NULL, SecurityImpersonation,
                                 TokenImpersonation, &asking));
    assert_true(may_open(asking, ours.descriptor));
    assert_false(may_open(asking, theirs.descriptor));
    CloseHandle(asking);
    CloseHandle(own);
    win32_security_fini(&theirs);
    win32_security_fini(&ours);
}

/* Owner and list of a live kernel object. */
static void
assert_private(HANDLE object)
{
    PSID owner = NULL;
    PACL list = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    assert_int_equal(GetSecurityInfo(object, SE_KERNEL_OBJECT,
                                     OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner,
                                     NULL, &list, NULL, &descriptor),
                     ERROR_SUCCESS);
    assert_true(EqualSid(owner, own_sid));
    assert_allows(list, 1, &own_sid);
    LocalFree(descriptor);
}

static void
the_engines_lock_reads_back_what_was_asked(void **state)
{
    struct os_lock *lock = NULL;
    assert_int_equal(os_lock_take(&lock, "access", fixture_patience()), TUTTI_OK);
    wchar_t *name = win32_object_name("Local\\", "access");
    assert_non_null(name);
    HANDLE mutex = OpenMutexW(READ_CONTROL, FALSE, name);
    assert_non_null(mutex);
    assert_private(mutex);
    CloseHandle(mutex);
    free(name);
    os_lock_release(lock);
}

/* The pipe through which everybody connects, as a program has it in hand: of the first instance and
 * of the one after it. */
static void
the_engines_pipe_reads_back_what_was_asked(void **state)
{
    struct os_listener *listener = NULL;
    struct os_link *link = NULL;
    wchar_t *name = win32_link_name();
    assert_non_null(name);
    assert_int_equal(os_listener_open(&listener), TUTTI_OK);
    for (unsigned i = 0; i < 2; i++) {
        HANDLE pipe = CreateFileW(name, GENERIC_READ | GENERIC_WRITE | READ_CONTROL, 0, NULL,
                                  OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
        assert_true(pipe != INVALID_HANDLE_VALUE);
        assert_private(pipe);
        assert_int_equal(os_listener_accept(listener, &link, fixture_patience()), TUTTI_OK);
        CloseHandle(pipe);
        os_link_close(link);
    }
    os_listener_close(listener);
    free(name);
}

static bool
has_name(HANDLE object)
{
    enum { OBJECT_NAME_INFORMATION = 1 };
    typedef void (*any_fn)(void);
    typedef LONG(NTAPI * query_fn)(HANDLE, int, void *, ULONG, ULONG *);
    query_fn query = (query_fn)(any_fn)win32_function(L"ntdll.dll", "NtQueryObject");
    struct {
        USHORT length, room;
        wchar_t *text;
        wchar_t space[512];
    } name = {0};
    assert_non_null(query);
    assert_true(query(object, OBJECT_NAME_INFORMATION, &name, sizeof(name), NULL) >= 0);
    return name.length > 0;
}

/* Shared memory and events are reached through handles that engine and program give each other;
 * nobody else can ask the system for them. */
static void
what_is_shared_has_no_name_to_open_it_by(void **state)
{
    struct os_shm memory;
    struct os_wake wake;
    struct os_lock *lock = NULL;
    assert_int_equal(os_shm_create(&memory, 4096), TUTTI_OK);
    assert_int_equal(os_wake_init(&wake, memory.base), TUTTI_OK);
    assert_false(has_name((HANDLE)memory.handle));
    assert_false(has_name((HANDLE)wake.event));
    os_wake_fini(&wake);
    os_shm_close(&memory);

    assert_int_equal(os_lock_take(&lock, "access", fixture_patience()), TUTTI_OK);
    wchar_t *name = win32_object_name("Local\\", "access");
    HANDLE mutex = OpenMutexW(READ_CONTROL, FALSE, name);
    assert_non_null(mutex);
    assert_true(has_name(mutex));
    CloseHandle(mutex);
    free(name);
    os_lock_release(lock);
}

static void
the_runtime_folder_is_this_users_and_the_systems(void **state)
{
    char path[1024];
    PACL list = NULL;
    PSID system_sid = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    assert_int_equal(os_runtime_dir(path, sizeof(path)), TUTTI_OK);
    wchar_t *wide = win32_wide(path);
    assert_int_equal(GetNamedSecurityInfoW(wide, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL,
                                           NULL, &list, NULL, &descriptor),
                     ERROR_SUCCESS);
    assert_true(ConvertStringSidToSidW(L"S-1-5-18", &system_sid));
    assert_non_null(list);
    /* Wine makes the list out of the Unix mode of the folder, and may name more than were asked */
    bool own = false;
    for (unsigned i = 0; i < list->AceCount; i++) {
        ACCESS_ALLOWED_ACE *entry = NULL;
        assert_true(GetAce(list, i, (void **)&entry));
        own |=
            entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && EqualSid(&entry->SidStart, own_sid);
        PSID everyone = NULL;
        assert_true(ConvertStringSidToSidW(L"S-1-1-0", &everyone));
        assert_false(EqualSid(&entry->SidStart, everyone) &&
                     entry->Header.AceType == ACCESS_ALLOWED_ACE_TYPE && entry->Mask != 0);
        LocalFree(everyone);
    }
    assert_true(own);
    LocalFree(system_sid);
    LocalFree(descriptor);
    free(wide);
}

int
main(void)
{
    fixture_use_own_runtime_dir("access");
    if (!ConvertStringSidToSidA(win32_user_sid(), &own_sid)) {
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_private_list_names_this_user_and_nobody_else),
        cmocka_unit_test(another_users_list_turns_this_user_away),
        cmocka_unit_test(the_engines_lock_reads_back_what_was_asked),
        cmocka_unit_test(the_engines_pipe_reads_back_what_was_asked),
        cmocka_unit_test(what_is_shared_has_no_name_to_open_it_by),
        cmocka_unit_test(the_runtime_folder_is_this_users_and_the_systems),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
