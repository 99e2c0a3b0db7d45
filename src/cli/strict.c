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
    PetscCheck(option || value_may_follow, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
               "'%s' behind '%s' is neither an option nor the value of one: options begin with a hyphen and "
               "take one value at most",
               argv[i], i > 1 ? argv[i - 1] : "twofold COMMAND");
    value_may_follow = option;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscBool Begins(const char text[], const char with[])
{
  return (PetscBool)!strncmp(text, with, strlen(with));
}

/* Whom an option belongs to, by how its name begins. Where this run has asked for no option of that family,
   it does not use the owner. */
static const struct {
  const char *family, *owner;
} owners[] = {{"tape_window", "the tape of -hg_type itd -tape_type ring"},
              {"tape_dir", "the tape of -hg_type itd -tape_type disk"},
              {"tape_max_ram", "the tapes revolve and disk of -hg_type itd"},
              {"tape_", "the tape of -hg_type itd -hg_itd_mode reverse"},
              {"hg_itd_block", "-hg_type itd -hg_itd_mode forward"},
              {"hg_itd_", "-hg_type itd"},
              {"hg_exact_", "-hg_type exact"},
              {"hg_fpm_", "-hg_type aid"},
              {"hg_fpm_momentum", "the maps -hg_fpm_type heavyball and nesterov"},
              {"hg_lanczos", "-hg_type aid"},
              {"hg_chebyshev_interval", "-hg_type aid -hg_ksp_type chebyshev"},
              {"lls_fpm_constants", "-lls_fpm_step optimal"},
              {"lls_fpm_differentiate_step", "-lls_fpm_step optimal"},
              {"hg_fpm_differentiate_step", "-hg_fpm_step optimal"},
              {"hg_fpm_constants", "-hg_fpm_step optimal"},
              {"contraction_", "twofold contraction"},
              {"study_", "twofold study"},
              {"hg_ksp_", "-hg_type aid"},
              {"hg_pc_", "-hg_type aid"},
              {"hg_precond", "-hg_type aid"},
              {"hg_precond_rank", "-hg_precond nystrom"},
              {"hg_precond_seed", "-hg_precond nystrom"},
              {"hg_precond_", "a preconditioner, -hg_precond jacobi or nystrom"},
              {"hg_warm_start", "-hg_type aid"},
              {"lls_newton_", "-lls_type newton"},
              {"lls_newton_precond_rank", "-lls_newton_precond nystrom"},
              {"lls_newton_precond_seed", "-lls_newton_precond nystrom"},
              {"lls_newton_precond_", "a preconditioner, -lls_newton_precond jacobi or nystrom"},
              {"lls_anderson_", "-lls_type anderson"},
              {"lls_fpm_momentum", "the maps -lls_fpm_type heavyball and nesterov"},
              {"blp_fold_groups", "cross-validation, -blp_folds"},
              {"blp_synthetic_nval", "synthetic samples that -blp_folds does not deal out"},
              {"blp_synthetic_noise", "made samples of a linear model, -blp_data synthetic"},
              {"blp_synthetic_kind", "made samples of a linear model, -blp_data synthetic"},
              {"blp_synthetic_classes", "made text, -blp_data synthetic_text"},
              {"blp_synthetic_length", "made text, -blp_data synthetic_text"},
              {"blp_synthetic_zipf", "made text, -blp_data synthetic_text"},
              {"blp_synthetic_topic", "made text, -blp_data synthetic_text"},
              {"blp_synthetic_", "made samples, -blp_data synthetic or synthetic_text"},
              {"blp_split", "one source of samples, -blp_data FILE, that -blp_folds does not deal out"},
              {"blp_seed", "one source of samples, -blp_data"},
              {"blp_stratified", "one source of samples, -blp_data"},
              {"uls_tao_", "-uls_type tao"},
              {"uls_adam_", "-uls_momentum_type adam"},
              {"uls_momentum", "-uls_type descent"},
              {"uls_eval_lls_", "the lower level of -uls_eval_exact"},
              {"uls_eval_exact_", "-uls_eval_exact"},
              {"uls_", "twofold solve"},
              {"lset_", "twofold solve"},
              {"resume", "twofold solve"},
              {"checkpoint_", "twofold solve"},
              {"output_dir", "twofold solve, hypergrad, contraction and study"},
              {"error_if_not_converged", "twofold solve, hypergrad, contraction and study"},
              {"lls_", "twofold solve, hypergrad, contraction and study, but for -hg_type exact"},
              {"hg_", "twofold solve, hypergrad, contraction and study"},
              {"lls_fpm_step", "a map that has a step size, -lls_fpm_type gd, heavyball or nesterov"},
              {"hg_fpm_step", "a map that has a step size, -hg_fpm_type gd, heavyball or nesterov"},
              {"blp_split", "-blp_data, one source that is split"},
              {"blp_seed", "-blp_data, one source that is split"},
              {"blp_stratified", "-blp_data, one source that is split"},
              {"blp_", "twofold solve, hypergrad, contraction and study"},
              {"data_input", "twofold data and predict"},
              {"data_output", "twofold data"},
              {"data_split", "twofold data"},
              {"data_seed", "twofold data"},
              {"data_stratified", "twofold data"},
              {"data_kernel", "twofold solve, hypergrad, study, predict and bench"},
              {"data_grid", "-data_kernel grid, in twofold solve, hypergrad, study, predict and bench"},
              {"data_storage", "-data_kernel grid, in twofold solve, hypergrad, study, predict and bench"},
              {"data_scale", "twofold solve and hypergrad (a model knows its scaling)"},
              {"predict_", "twofold predict"},
              {"bench_", "twofold bench"}};

static const char *Owner(const char name[])
{
  for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
    if (Begins(name, owners[i].family) && !CliHeardFamily(owners[i].family)) return owners[i].owner;
  return NULL;
}

static void Compare(const char name[], const char with[], const char **closest, PetscInt *distance)
{
  const PetscInt edits = TwofoldEditDistance(name, with);

  if (edits >= *distance) return;
  *distance = edits;
  *closest = with;
}

/* Rank 0: why the option is refused, and the name that was perhaps meant: of those asked for and those read
   late the nearest. */
static PetscErrorCode Explain(const char name[], char text[], size_t len)
{
  const char *const owner = Owner(name), *closest = NULL;
  PetscInt distance = PETSC_MAX_INT;

  PetscFunctionBegin;
  for (PetscInt i = 0; CliHeardOption(i); i++) Compare(name, CliHeardOption(i)->name, &closest, &distance);
  for (PetscInt i = 0; !owner && CliLateOption(i); i++) Compare(name, CliLateOption(i), &closest, &distance);
  const PetscBool near_miss = (PetscBool)(distance <= PetscMax(1, (PetscInt)strlen(name) / (owner ? 6 : 3)));
  if (owner)
    PetscCall(PetscSNPrintf(text, len, "option -%s is not used by this run: it belongs to %s%s%s%s", name,
                            owner, near_miss ? "; or did you mean -" : "", near_miss ? closest : "",
                            near_miss ? "?" : ""));
  else if (near_miss)
    PetscCall(PetscSNPrintf(text, len, "unknown option -%s; did you mean -%s?", name, closest));
  else
    PetscCall(PetscSNPrintf(text, len, "unknown option -%s; -help lists the options of this command", name));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliRefuseUnusedOptions(void)
{
  PetscInt n;
  PetscMPIInt rank;
  char **names, **values, text[512] = "";

  PetscFunctionBegin;
  PetscCall(CliCheckValues());
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  PetscCall(PetscOptionsLeftGet(NULL, &n, &names, &values));
  for (PetscInt i = 0; i < n && rank == 0 && !text[0]; i++) /* only rank 0 has heard the lists of types */
    if (!CliIsLateOption(names[i])) PetscCall(Explain(names[i], text, sizeof(text)));
  PetscCall(PetscOptionsLeftRestore(NULL, &n, &names, &values));
  PetscCallMPI(MPI_Bcast(text, (int)sizeof(text), MPI_CHAR, 0, PETSC_COMM_WORLD));
  PetscCheck(!text[0], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT, "%s", text);
  PetscFunctionReturn(PETSC_SUCCESS);
}
