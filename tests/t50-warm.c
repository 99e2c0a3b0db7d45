/* Warm starts: off unless asked for; then from the accepted states alone, the whole of them. */
#include "problem.h"

static const Synthetic spec = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
static const char *const maps[] = {"-lls_fpm_step 0.3",
                                   "-lls_fpm_type heavyball -lls_fpm_step 0.3 -lls_fpm_momentum 0.4"};

typedef struct {
  BLP blp;
  Vec lambda, other, g, h;
} Case;

static PetscErrorCode CaseCreate(Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &spec, &k->blp));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->other));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(VecDuplicate(k->lambda, &k->h));
  PetscCall(SyntheticLambda(k->blp, &spec, 1, 1, 0, k->lambda));
  PetscCall(SyntheticLambda(k->blp, &spec, 2, 1, 0, k->other));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->other));
  PetscCall(VecDestroy(&k->g));
  PetscCall(VecDestroy(&k->h));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

static PetscErrorCode Make(Case *k, const char a[], const char b[], HG *hg)
{
  char text[320];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s %s", a, b));
  PetscCall(HGMake(k->blp, NULL, text, hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSame(Vec a, Vec b, PetscBool expected, const char what[])
{
  PetscBool same;

  PetscFunctionBegin;
  PetscCall(VecEqual(a, b, &same));
  CHECK(same == expected, "%s: the vectors are %s", what, same ? "the same" : "not the same");
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckSameState(HG a, HG b, PetscBool expected, const char what[])
{
  State x, y;

  PetscFunctionBegin;
  PetscCall(HGGetState(a, &x));
  PetscCall(HGGetState(b, &y));
  CHECK(x->n == y->n, "%s: states of %d and %d vectors", what, (int)x->n, (int)y->n);
  for (PetscInt i = 0; i < x->n; i++) PetscCall(CheckSame(x->v[i], y->v[i], expected, what));
  PetscFunctionReturn(0);
}

/* Without the option a solve knows nothing of those before it. */
static PetscErrorCode Off(Case *k, const char type[], const char map[])
{
  PetscReal f, again, elsewhere;
  HG hg;

  PetscFunctionBegin;
  PetscCall(Make(k, type, map, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGAccept(hg));
  PetscCall(HGSolve(hg, k->other, &elsewhere, k->h));
  PetscCall(HGAccept(hg));
  PetscCall(HGSolve(hg, k->lambda, &again, k->h));
  CHECK(f == again && f != elsewhere, "f %.17g, then %.17g", f, again);
  PetscCall(CheckSame(k->g, k->h, PETSC_TRUE, type));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* Two warm solves of t steps are one of 2t, bit by bit, and so is the state, w_prev with it. */
static PetscErrorCode Continues(Case *k, const char map[])
{
  PetscReal f, f_long;
  HG hg, whole;

  PetscFunctionBegin;
  PetscCall(Make(k, "-lls_warm_start -lls_max_it 5", map, &hg));
  PetscCall(Make(k, "-lls_max_it 10", map, &whole));
  PetscCall(HGSolve(whole, k->lambda, &f_long, k->g));
  PetscCall(HGSolve(hg, k->lambda, &f, k->h));
  PetscCall(CheckSameState(hg, whole, PETSC_FALSE, "after t steps"));
  PetscCall(HGAccept(hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->h));
  CHECK(f == f_long, "f %.17g after t and t steps, %.17g after 2t", f, f_long);
  PetscCall(CheckSameState(hg, whole, PETSC_TRUE, "after t and t steps"));
  PetscCall(CheckSame(k->g, k->h, PETSC_TRUE, "hypergradient"));
  PetscCall(HGDestroy(&hg));
  PetscCall(HGDestroy(&whole));
  PetscFunctionReturn(0);
}

/* A line search's trials, which are not accepted, do not move the start; nor do evaluations. */
static PetscErrorCode Trials(Case *k, const char map[])
{
  PetscReal f, f_long;
  HG hg, whole;

  PetscFunctionBegin;
  PetscCall(Make(k, "-lls_warm_start -hg_warm_start -lls_max_it 5", map, &hg));
  PetscCall(Make(k, "-lls_max_it 10", map, &whole));
  PetscCall(HGSolve(whole, k->lambda, &f_long, k->g));
  PetscCall(HGSolve(hg, k->other, &f, k->h)); /* before anything is accepted: from 0 */
  PetscCall(HGSolve(hg, k->lambda, &f, k->h));
  PetscCall(HGAccept(hg));
  for (int trial = 0; trial < 3; trial++) {
    PetscCall(HGSolve(hg, k->other, &f, k->h));
    PetscCall(HGEvaluate(hg, k->other, &f));
  }
  PetscCall(HGEvaluate(hg, k->lambda, &f));
  CHECK(f == f_long, "after trials f %.17g instead of %.17g", f, f_long);
  PetscCall(HGSolve(hg, k->lambda, &f, k->h));
  CHECK(f == f_long, "after trials f %.17g instead of %.17g", f, f_long);
  PetscCall(CheckSameState(hg, whole, PETSC_TRUE, "after trials"));
  PetscCall(HGDestroy(&hg));
  PetscCall(HGDestroy(&whole));
  PetscFunctionReturn(0);
}

/* The adjoint of the fixed-point method: k and k steps are 2k. */
static PetscErrorCode AdjointContinues(Case *k, const char map[], const char ksp[])
{
  const char *const fixed_point =
      "-lls_max_it 5 -lls_fpm_step 0.3 -hg_ksp_rtol 0 -hg_fpm_step 0.3 -hg_fpm_momentum 0.4";
  char text[320];
  PetscReal f, difference, once;
  State v;
  HG hg, whole;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s -hg_fpm_type %s -hg_ksp_type %s", fixed_point, map, ksp));
  PetscCall(Make(k, text, "-hg_warm_start -hg_ksp_max_it 4", &hg));
  PetscCall(Make(k, text, "-hg_ksp_max_it 8", &whole));
  PetscCall(HGSolve(whole, k->lambda, &f, k->g));
  PetscCall(HGSolve(hg, k->lambda, &f, k->h));
  PetscCall(RelativeDifference(k->h, k->g, &once));
  PetscCall(HGAccept(hg));
  PetscCall(HGSolve(hg, k->other, &f, k->h)); /* a trial */
  PetscCall(HGSolve(hg, k->lambda, &f, k->h));
  PetscCall(RelativeDifference(k->h, k->g, &difference));
  CHECK(difference <= 1e-14 && once > 1e-6, "k and k steps differ from 2k by %g (k from 2k by %g)",
        difference, once);
  PetscCall(HGGetAdjoint(hg, &v));
  CHECK(v->n == (strcmp(map, FPMGD) ? 2 : 1), "an adjoint of %d vectors", (int)v->n);
  PetscCall(HGDestroy(&hg));
  PetscCall(HGDestroy(&whole));
  PetscFunctionReturn(0);
}

/* From the accepted solution a solve to a tolerance has little left to do. */
static PetscErrorCode FromTheSolution(Case *k, const char map[])
{
  HGReport cold, warm;
  PetscReal f;
  LLS lls;
  HG hg;

  PetscFunctionBegin;
  PetscCall(
      Make(k, "-lls_warm_start -hg_warm_start -lls_max_it 5000 -lls_rtol 1e-10 -hg_ksp_rtol 1e-8", map, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &cold));
  PetscCall(HGAccept(hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->h));
  PetscCall(HGGetReport(hg, &warm));
  CHECK(cold.reason == HG_CONVERGED_RTOL && warm.reason == HG_CONVERGED_RTOL, "%s, %s",
        HGConvergedReasons[cold.reason], HGConvergedReasons[warm.reason]);
  CHECK(cold.lower_its > 20 && warm.lower_its == 1, "%d steps, then %d", (int)cold.lower_its,
        (int)warm.lower_its);
  CHECK(cold.adjoint_its > 3 && warm.adjoint_its <= 1, "%d adjoint steps, then %d", (int)cold.adjoint_its,
        (int)warm.adjoint_its);
  PetscCall(HGGetLLS(hg, &lls)); /* switched off, the accepted state is no start any more */
  PetscCall(LLSSetWarmStart(lls, PETSC_FALSE));
  PetscCall(HGSolve(hg, k->lambda, &f, k->h));
  PetscCall(HGGetReport(hg, &warm));
  CHECK(warm.lower_its == cold.lower_its, "%d steps, then %d", (int)cold.lower_its, (int)warm.lower_its);
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(CaseCreate(&k));
  for (int m = 0; m < 2; m++) {
    PetscCall(Off(&k, "-hg_type aid -lls_max_it 5 -hg_ksp_rtol 0 -hg_ksp_max_it 3", maps[m]));
    PetscCall(Off(&k, "-hg_type itd -lls_max_it 5", maps[m]));
    PetscCall(Continues(&k, maps[m]));
    PetscCall(Trials(&k, maps[m]));
    PetscCall(FromTheSolution(&k, maps[m]));
  }
  PetscCall(AdjointContinues(&k, FPMGD, KSPRICHARDSON));
  PetscCall(AdjointContinues(&k, FPMGD, KSPFIXEDPOINT));
  PetscCall(AdjointContinues(&k, FPMHEAVYBALL, KSPRICHARDSON));
  PetscCall(AdjointContinues(&k, FPMHEAVYBALL, KSPFIXEDPOINT));
  PetscCall(CaseDestroy(&k));
  PetscCall(TestFinalize());
  return 0;
}
