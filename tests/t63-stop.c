/* Runs that HGSetStop()'s hook ends at any of its questions: the state saved behind the last whole step leads
   to the numbers of a run that nobody stopped, bit for bit, with the work of its steps and no other. */
#include "files.h"
#include "upper.h"

enum { STEPS = 3, STOPS = 7, STAGES = HG_STAGE_POINT + 1 };

typedef struct {
  BLP blp;
  Vec lambda;
  char path[PETSC_MAX_PATH_LEN];
  PetscInt stages[STAGES]; /* stops at each */
} Case;

/* The hook: counts the questions and says stop at one of them. */
typedef struct {
  PetscInt asked, stop_at; /* 0: never */
  HGStage at;
} Questions;

static PetscErrorCode Answer(HG hg, HGStage stage, PetscBool *stop, void *ctx)
{
  Questions *q = (Questions *)ctx;

  PetscFunctionBegin;
  (void)hg;
  *stop = (PetscBool)(++q->asked == q->stop_at);
  if (*stop) q->at = stage;
  PetscFunctionReturn(0);
}

static PetscErrorCode Start(Case *k, const char method[], Questions *q, ULS *uls)
{
  HG hg;

  PetscFunctionBegin;
  PetscCall(
      UpperStart(k->blp, method, "-lls_warm_start -uls_momentum 0.5 -uls_step 3", "-uls_max_it 3", uls));
  PetscCall(ULSGetHG(*uls, &hg));
  PetscCall(HGSetStop(hg, Answer, q));
  PetscCall(VecSet(k->lambda, 0.1));
  PetscFunctionReturn(0);
}

/* What a run ends with. */
typedef struct {
  PetscScalar lambda[UPPER_P];
  PetscReal f;
  PetscInt64 work[3];
} End;

static PetscErrorCode Finish(Case *k, const char method[], ULS uls, End *end)
{
  ULSConvergedReason reason;

  PetscFunctionBegin;
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(ULSGetConvergedReason(uls, &reason));
  CHECK(reason == ULS_CONVERGED_ITS, "%s: %s", method, ULSConvergedReasons[reason]);
  PetscCall(VecGather(k->lambda, end->lambda));
  PetscCall(ULSGetObjective(uls, &end->f));
  PetscCall(ULSGetWork(uls, &end->work[0], &end->work[1], &end->work[2]));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* Stopped at a question, saved, and gone on with by another solver. */
static PetscErrorCode StopAt(Case *k, const char method[], PetscInt at, const End *whole)
{
  Questions q = {.stop_at = at}, none = {0};
  ULSConvergedReason reason;
  HGConvergedReason why;
  PetscReal far;
  End end;
  ULS uls;
  HG hg;

  PetscFunctionBegin;
  PetscCall(Start(k, method, &q, &uls));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(ULSGetConvergedReason(uls, &reason));
  PetscCall(ULSGetHG(uls, &hg));
  PetscCall(HGGetConvergedReason(hg, &why));
  CHECK(reason == ULS_STOPPED && q.asked == at, "%s: %s after question %d, not %d", method,
        ULSConvergedReasons[reason], (int)q.asked, (int)at);
  CHECK((why == HG_STOPPED) == (q.at != HG_STAGE_POINT), "%s: %s at stage %d", method,
        HGConvergedReasons[why], (int)q.at);
  k->stages[q.at]++;
  PetscCall(UpperSave(uls, k->lambda, k->path));
  PetscCall(ULSDestroy(&uls));

  PetscCall(Start(k, method, &none, &uls));
  PetscCall(UpperRestore(uls, k->lambda, k->path));
  PetscCall(Finish(k, method, uls, &end));
  PetscCall(VecDifference(k->lambda, whole->lambda, &far));
  CHECK(far == 0 && end.f == whole->f, "%s, stopped at %d: lambda is %g off, f %g", method, (int)at, far,
        end.f - whole->f);
  for (int i = 0; i < 3; i++)
    CHECK(end.work[i] == whole->work[i], "%s, stopped at %d: work %d is %d, not %d", method, (int)at, i,
          (int)end.work[i], (int)whole->work[i]);
  PetscFunctionReturn(0);
}

/* At the first question, the last one, and some between. */
static PetscErrorCode Method(Case *k, const char method[])
{
  Questions q = {0};
  End whole;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(Start(k, method, &q, &uls));
  PetscCall(Finish(k, method, uls, &whole));
  CHECK(q.asked > STOPS, "%s: asked only %d times", method, (int)q.asked);
  for (PetscInt i = 0; i < STOPS; i++)
    PetscCall(StopAt(k, method, 1 + i * (q.asked - 1) / (STOPS - 1), &whole));
  PetscFunctionReturn(0);
}

/* A hypergradient that was stopped leaves nothing behind in its solver. */
static PetscErrorCode Again(Case *k, const char method[])
{
  Questions q = {.stop_at = 6};
  PetscReal f, again;
  ULS uls;
  HG hg;
  Vec g, g_again;

  PetscFunctionBegin;
  PetscCall(Start(k, method, &q, &uls));
  PetscCall(ULSGetHG(uls, &hg));
  PetscCall(VecDuplicate(k->lambda, &g));
  PetscCall(VecDuplicate(k->lambda, &g_again));
  PetscCall(HGSolve(hg, k->lambda, &f, g));
  PetscCall(VecNorm(g, NORM_2, &again));
  CHECK(q.asked == 6 && PetscIsInfReal(f) && again == 0, "%s: stopped with f = %g, ||g|| = %g", method, f,
        again);
  PetscCall(HGSolve(hg, k->lambda, &f, g));
  PetscCall(HGSetStop(hg, NULL, NULL));
  PetscCall(HGSolve(hg, k->lambda, &again, g_again));
  PetscCall(VecAXPY(g, -1, g_again));
  PetscCall(VecNorm(g, NORM_INFINITY, &again));
  CHECK(again == 0, "%s: after a stop the hypergradient is %g off", method, again);
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&g_again));
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const char *const methods[] = {
      "-lls_max_it 6 -lls_fpm_step 0.5 -hg_warm_start -hg_ksp_type cg -hg_ksp_rtol 1e-9",
      "-lls_max_it 6 -lls_fpm_step 0.5 -lls_rtol 1e-7 -hg_ksp_type richardson -hg_fpm_step 0.5 -hg_ksp_rtol "
      "0 "
      "-hg_ksp_max_it 7",
      "-lls_max_it 6 -lls_fpm_type nesterov -lls_fpm_step 0.4 -lls_fpm_momentum 0.3 -hg_ksp_type gmres "
      "-hg_ksp_error_if_not_converged -hg_ksp_rtol 1e-9",
      "-lls_max_it 6 -lls_fpm_step 0.5 -hg_ksp_type chebyshev -hg_ksp_rtol 0 -hg_ksp_max_it 5",
      "-lls_type newton -lls_max_it 3 -hg_ksp_type bcgs -hg_warm_start",
      "-lls_type anderson -lls_max_it 5 -lls_fpm_step 0.5 -hg_ksp_type sweepcg",
      "-lls_max_it 6 -lls_fpm_step 0.5 -hg_ksp_type cgnr -hg_ksp_rtol 0 -hg_ksp_max_it 5",
      "-hg_tol 1e-5 -lls_max_it 1000 -lls_fpm_step 0.5",
      "-hg_type itd -lls_max_it 6 -lls_fpm_type heavyball -lls_fpm_step 0.5 -lls_fpm_momentum 0.5",
      "-hg_type itd -lls_max_it 9 -lls_fpm_step 0.5 -tape_type revolve -tape_max_ram 200",
      "-hg_type itd -hg_itd_mode forward -hg_itd_block 2 -lls_max_it 6 -lls_fpm_step 0.5"};
  Case k = {0};
  char folder[PETSC_MAX_PATH_LEN];

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(UpperProblem(TEST_COMM, &k.blp));
  PetscCall(BLPCreateVecs(k.blp, &k.lambda, NULL));
  PetscCall(FolderCreate(folder));
  PetscCall(PetscSNPrintf(k.path, sizeof(k.path), "%s/checkpoint.h5", folder));
  for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
    PetscCall(Method(&k, methods[i]));
    PetscCall(Again(&k, methods[i]));
  }
  for (int s = 0; s < STAGES; s++) CHECK(k.stages[s] > 2, "only %d stops at stage %d", (int)k.stages[s], s);
  PetscCall(FolderRemove(folder));
  PetscCall(VecDestroy(&k.lambda));
  PetscCall(BLPDestroy(&k.blp));
  PetscCall(TestFinalize());
  return 0;
}
