/* Strict options: PETSc ignores what it does not know; a batch job must not. Once all objects of a run are
   set up, an option nobody has read is refused with the closest valid name. */
#include <string.h>
#include "cli.h"

/* Words that are neither an option nor the value of one. PETSc takes at most one value an option. */
PetscErrorCode CliCheckWords(int argc, char **argv)
{
  PetscBool value_may_follow = PETSC_FALSE;

  PetscFunctionBegin;
  for (int i = 1; i < argc; i++) {
    PetscBool option;
    PetscCall(PetscOptionsValidKey(argv[i], &option));
    PetscCheck(
        option || value_may_follow, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
        "%s is neither an option nor the value of one (%s): options begin with a hyphen and take one value",
        argv[i], i > 1 ? argv[i - 1] : "the first word is the command");
    value_may_follow = option;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool Begins(const char text[], const char with[])
{
  return (PetscBool)!strncmp(text, with, strlen(with));
}

/* Options PETSc reads late (when a thing is viewed, logged, or finalised), so that "unread" says nothing yet.
 */
static PetscBool ReadLate(const char name[])
{
  const char *const words[] = {"options_left",
                               "options_view",
                               "options_monitor",
                               "citations",
                               "objects_dump",
                               "memory_view",
                               "malloc",
                               "malloc_dump",
                               "malloc_debug",
                               "malloc_view",
                               "malloc_test",
                               "log_view",
                               "log_all",
                               "log_trace",
                               "log_summary",
                               "log_view_memory",
                               "log_exclude",
                               "log_sync",
                               "log_nest_view",
                               "log_mpe",
                               "info",
                               "info_exclude",
                               "on_error_abort",
                               "on_error_mpiabort",
                               "on_error_emacs",
                               "on_error_attach_debugger",
                               "start_in_debugger",
                               "stop_for_debugger",
                               "debugger_nodes",
                               "debugger_pause",
                               "no_signal_handler",
                               "fp_trap",
                               "error_output_stdout",
                               "error_output_none",
                               "checkstack",
                               "get_total_flops",
                               "python",
                               "saws_options",
                               "x_virtual",
                               "display",
                               "nox",
                               "use_gpu_aware_mpi",
                               "viewer_hdf5_collective",
                               "viewer_binary_skip_info",
                               "viewer_binary_mpiio",
                               "shared_tmp",
                               "tmp",
                               "not_shared_tmp",
                               "skip_petscrc",
                               "options_file",
                               "petsc_ci",
                               "matmatmult_via",
                               "mpiuni"};
  const char *const families[] = {"vec_", "mat_",    "is_",      "sf_",  "vecscatter_",
                                  "log_", "malloc_", "options_", "hdf5_"};
  const char *const viewed[] = {"hg_ksp_view",    "hg_pc_view",      "hg_ksp_converged",
                                "hg_ksp_monitor", "hg_ksp_error_if", "hg_ksp_plot",
                                "ksp_view",       "vec_view",        "mat_view"};

  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
    if (!strcmp(name, words[i])) return PETSC_TRUE;
  for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
    if (Begins(name, families[i])) return PETSC_TRUE;
  for (size_t i = 0; i < sizeof(viewed) / sizeof(viewed[0]); i++)
    if (Begins(name, viewed[i])) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* Why a well-formed option of this program may be unread: it belongs to something this run does not use. */
static const char *Owner(const char name[])
{
  if (Begins(name, "tape_") || Begins(name, "hg_itd_")) return "it belongs to -hg_type itd";
  if (Begins(name, "hg_fpm_") && !strstr(name, "momentum")) return "it belongs to -hg_type aid";
  if (Begins(name, "hg_ksp_") || Begins(name, "hg_pc_") || !strcmp(name, "hg_warm_start"))
    return "it belongs to -hg_type aid";
  if (strstr(name, "fpm_momentum")) return "it belongs to the map heavyball";
  if (Begins(name, "uls_") || !strcmp(name, "resume") || Begins(name, "checkpoint_"))
    return "it belongs to twofold solve";
  if (Begins(name, "data_input") || Begins(name, "data_output")) return "it belongs to twofold data";
  return NULL;
}

static PetscErrorCode Refuse(const char name[])
{
  const char *closest, *owner = Owner(name);
  char hint[256] = "";
  PetscInt distance;

  PetscFunctionBegin;
  PetscCall(CliHelpClosest(name, &closest, &distance));
  if (closest && distance <= (PetscInt)strlen(name) / 3 + 1)
    PetscCall(PetscSNPrintf(hint, sizeof(hint), "; did you mean -%s?", closest));
  SETERRQ(PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
          "option -%s is not used by this run%s%s%s (-help lists the options)", name, owner ? ": " : "",
          owner ? owner : "", owner && distance > 2 ? "" : hint);
}

/* Unread, and neither of those read late nor a near miss of one that was read. */
static PetscErrorCode IsWrong(const char name[], PetscBool *wrong)
{
  const char *closest;
  PetscInt distance;

  PetscFunctionBegin;
  PetscCall(CliHelpClosest(name, &closest, &distance));
  const PetscBool near_miss = (PetscBool)(distance > 0 && distance <= 2 && !strstr(name, "view"));
  *wrong = (PetscBool)(!ReadLate(name) || near_miss);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliRefuseUnusedOptions(void)
{
  PetscInt n;
  PetscMPIInt rank;
  char **names, **values, name[256] = "";

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscOptionsLeftGet(NULL, &n, &names, &values));
  for (PetscInt i = 0; i < n && rank == 0 && !name[0]; i++) { /* only rank 0 has heard the lists of types */
    PetscBool wrong = PETSC_FALSE;
    PetscCall(IsWrong(names[i], &wrong));
    if (wrong) PetscCall(PetscStrncpy(name, names[i], sizeof(name)));
  }
  PetscCall(PetscOptionsLeftRestore(NULL, &n, &names, &values));
  PetscCallMPI(MPI_Bcast(name, (int)sizeof(name), MPI_CHAR, 0, PETSC_COMM_WORLD));
  if (name[0]) PetscCall(Refuse(name));
  PetscFunctionReturn(PETSC_SUCCESS);
}
