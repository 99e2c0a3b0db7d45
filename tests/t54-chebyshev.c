/* Chebyshev's method for the adjoint system: the interval by the problem's constants and by SLEPc, with and
   without a preconditioner, and the rate that goes with it, which is attained in the worst direction; the
   KSP's own interval; far more steps than are needed; refusals. */
#include "dense.h"
#include "diagonal.h"
#include "files.h"
#include "quadraticproblem.h"
#include <twofold/impl/precondimpl.h>

/* |T_k(x)| for |x| >= 1, and for less */
static PetscReal Polynomial(PetscInt k, PetscReal x)
{
  const PetscReal size = PetscAbsReal(x);

  return size < 1 ? PetscAbsReal(cos((double)k * acos(size))) : cosh((double)k * acosh(size));
}

/* The residual's k-th factor at an eigenvalue, of the method on [a, b]. */
static PetscReal Factor(PetscInt k, PetscReal a, PetscReal b, PetscReal eigenvalue)
{
  return Polynomial(k, (b + a - 2 * eigenvalue) / (b - a)) / Polynomial(k, (b + a) / (b - a));
}

/* 2 rho^k / (1 + rho^(2 k)) */
static PetscReal Rate(PetscInt k, PetscReal kappa)
{
  const PetscReal rho = (PetscSqrtReal(kappa) - 1) / (PetscSqrtReal(kappa) + 1);

  return 2 * PetscPowRealInt(rho, k) / (1 + PetscPowRealInt(rho, 2 * k));
}

/* Residual and interval after k steps by these options. */
static PetscErrorCode Steps(BLP blp, PetscInt k, const char more[], PetscReal *residual, PetscReal *a,
                            PetscReal *b)
{
  char text[320];
  TwofoldConstant low, high;
  HGReport report;
  PetscReal f;
  Vec lambda, g;
  HG hg;

  PetscFunctionBegin;
  PetscCall(
      PetscSNPrintf(text, sizeof(text),
                    "-lls_max_it 2 -lls_fpm_step 0.3 -hg_ksp_type chebyshev -hg_fpm_step 0.7 -hg_ksp_rtol 0 "
                    "-hg_ksp_max_it %d %s",
                    (int)k, more));
  PetscCall(HGMake(blp, NULL, text, &hg));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecSet(lambda, 0.3));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == HG_CONVERGED_ITS, "%s: %s", more, HGConvergedReasons[report.reason]);
  *residual = report.adjoint_residual;
  PetscCall(HGGetChebyshevInterval(hg, &low, &high));
  *a = low.value - low.error;
  *b = high.value + high.error;
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ rates */

/* With all residuals along the eigenvector of mu the rate is attained, until rounding along the others is
   seen; else it is a bound, which the component at mu keeps the residual near to. */
static PetscErrorCode Rates(void)
{
  const PetscReal kappas[] = {1.5, 20, 1e3, 1e5};
  PetscReal residual, a, b;
  BLP blp;

  PetscFunctionBegin;
  for (int i = 0; i < 8; i++) {
    const PetscReal kappa = kappas[i / 2];
    const PetscBool worst = (PetscBool)(i % 2 == 0);
    const QuadraticSpec q = {.n = 30,
                             .m = 4,
                             .seed = 3,
                             .mu = 2 / kappa,
                             .L = 2,
                             .beta = 1,
                             .eta1 = 1,
                             .eta2 = 0.5,
                             .worst = worst};
    PetscCall(QuadraticProblem(TEST_COMM, &q, "", &blp));
    for (PetscInt k = 1; k <= 256; k *= 4) {
      const PetscReal rate = Rate(k, kappa), rounding = 1e-14 * PetscSqrtReal(kappa);
      PetscCall(Steps(blp, k, "-hg_chebyshev_interval formula", &residual, &a, &b));
      CHECK_CLOSE(a, 0.7 * 2 / kappa, 1e-14, "a");
      CHECK_CLOSE(b, 0.7 * 2, 1e-14, "b");
      if (rate < 1e-10)
        CHECK(residual <= rate + rounding, "kappa %g, %d steps: residual %g", (double)kappa, (int)k,
              (double)residual);
      else if (worst)
        CHECK_CLOSE(residual, rate, 1e-9 + rounding / rate, "rate in the worst direction");
      else
        CHECK(residual <= rate * (1 + 1e-9) && residual >= 1e-2 * rate, "kappa %g, %d steps: %g against %g",
              (double)kappa, (int)k, (double)residual, (double)rate);
    }
    PetscCall(BLPDestroy(&blp));
  }
  PetscFunctionReturn(0);
}

/* No constants are known: SLEPc's interval, 1 % wider above. */
static PetscErrorCode Computed(void)
{
  Diagonal s = {.n = 23, .kappa = 400, .sign = 1};
  PetscReal residual, a, b;
  BLP blp;

  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    s.map = (PetscBool)i;
    PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
    PetscCall(BLPUserSetConstants(blp, (PetscReal)PETSC_DEFAULT, (PetscReal)PETSC_DEFAULT,
                                  (PetscReal)PETSC_DEFAULT));
    const PetscReal alpha = s.map ? 1 : 0.7;
    for (PetscInt k = 1; k <= 64; k *= 4) {
      PetscCall(Steps(blp, k,
                      s.map ? "-hg_chebyshev_interval computed -lls_fpm_type problem -hg_fpm_type problem"
                            : "-hg_chebyshev_interval computed",
                      &residual, &a, &b));
      CHECK(a <= alpha / 400 && a >= alpha / 400 * (1 - 1e-3), "a %.9g", (double)a);
      CHECK(b >= 1.01 * alpha && b <= 1.01 * alpha * (1 + 2e-6), "b %.9g", (double)b);
      PetscReal most = 0;
      for (PetscInt j = 0; j < s.n; j++) most = PetscMax(most, Factor(k, a, b, alpha * DiagonalEntry(&s, j)));
      CHECK(residual <= most * (1 + 1e-9) && residual >= 1e-2 * most, "%d steps: residual %g against %g",
            (int)k, (double)residual, (double)most);
    }
    PetscCall(BLPDestroy(&blp));
  }
  PetscFunctionReturn(0);
}

/* The map's own contraction constant. */
static PetscErrorCode Contraction(void)
{
  Diagonal s = {.n = 9, .kappa = 50, .sign = 1, .map = PETSC_TRUE};
  const char map[] = "-hg_chebyshev_interval formula -lls_fpm_type problem -hg_fpm_type problem";
  PetscReal residual, a, b;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPUserSetConstants(blp, (PetscReal)PETSC_DEFAULT, (PetscReal)PETSC_DEFAULT, 0.98));
  PetscCall(Steps(blp, 20, map, &residual, &a, &b));
  CHECK_CLOSE(a, 0.02, 1e-12, "1 - q");
  CHECK_CLOSE(b, 1.98, 1e-12, "1 + q");
  CHECK(residual <= Rate(20, b / a), "residual %g", (double)residual);
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ preconditioned */

/* Eigenvalues of R H R, R = P^(-1/2) by unit vectors; R R is P^-1. */
static PetscErrorCode PreconditionedSpectrum(const Synthetic *spec, BLP blp, const char type[], Vec lambda,
                                             Vec w, PetscReal e[])
{
  PetscReal *H, *R, *RH, *M, *l, *at, difference;
  PetscInt n, m;
  Precond P;
  Dense *dense;
  Vec x, y, z;

  PetscFunctionBegin;
  PetscCall(DenseCreate(BLPSOFTMAX, spec, &dense));
  PetscCall(VecGetSize(w, &n));
  PetscCall(VecGetSize(lambda, &m));
  PetscCall(PetscCalloc6(n * n, &H, n * n, &R, n * n, &RH, n * n, &M, m, &l, n, &at));
  PetscCall(VecGather(lambda, l));
  PetscCall(VecGather(w, at));
  DenseHessian(dense, l, at, H);
  PetscCall(PrecondCreate(TEST_COMM, &P));
  PetscCall(PrecondSetType(P, type));
  PetscCall(PrecondSetRank(P, 4));
  PetscCall(PrecondSetBLP(P, blp));
  PetscCall(PrecondBuild(P, lambda, w));
  PetscCall(VecDuplicate(w, &x));
  PetscCall(VecDuplicate(w, &y));
  PetscCall(VecDuplicate(w, &z));
  for (PetscInt i = 0; i < n; i++) {
    PetscCall(VecSet(x, 0));
    PetscCall(TwofoldVecSetUnit(x, i));
    PetscCall(PrecondApplyRoot_Private(P, x, y));
    PetscCall(VecGather(y, R + i * n));
    PetscCall(PrecondApplyRoot_Private(P, y, z));
    PetscCall(PrecondApply(P, x, y));
    PetscCall(RelativeDifference(z, y, &difference));
    CHECK(difference <= 1e-13, "%s: the root's square differs by %g", type, (double)difference);
  }
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < n; j++)
      for (PetscInt k = 0; k < n; k++) RH[i * n + j] += R[i * n + k] * H[k * n + j];
  for (PetscInt i = 0; i < n; i++)
    for (PetscInt j = 0; j < n; j++)
      for (PetscInt k = 0; k < n; k++) M[i * n + j] += RH[i * n + k] * R[k * n + j];
  PetscCall(DenseEigenvalues(n, M, e));
  PetscCall(PetscFree6(H, R, RH, M, l, at));
  PetscCall(VecDestroy(&x));
  PetscCall(VecDestroy(&y));
  PetscCall(VecDestroy(&z));
  PetscCall(PrecondDestroy(&P));
  PetscCall(DenseDestroy(&dense));
  PetscFunctionReturn(0);
}

static PetscErrorCode Preconditioned(void)
{
  const Synthetic spec = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};
  const char *const types[] = {PRECONDJACOBI, PRECONDNYSTROM};
  TwofoldConstant a, b;
  PetscReal f, e[15];
  HGReport report;
  char text[320];
  State x;
  Vec lambda, g;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &spec, &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(SyntheticLambda(blp, &spec, 7, 0.5, 2, lambda));
  for (int i = 0; i < 2; i++) {
    PetscCall(PetscSNPrintf(text, sizeof(text),
                            "-lls_max_it 3 -lls_fpm_step 0.1 -hg_ksp_type chebyshev -hg_fpm_step 0.4 "
                            "-hg_ksp_rtol 1e-12 -hg_chebyshev_interval computed -hg_precond %s%s",
                            types[i], i ? " -hg_precond_rank 4" : ""));
    PetscCall(HGMake(blp, NULL, text, &hg));
    PetscCall(HGSolve(hg, lambda, &f, g));
    PetscCall(HGGetReport(hg, &report));
    CHECK(report.adjoint_reason > 0 && report.adjoint_residual <= 1e-11, "%s: residual %g", types[i],
          (double)report.adjoint_residual);
    PetscCall(HGGetChebyshevInterval(hg, &a, &b));
    PetscCall(HGGetState(hg, &x));
    PetscCall(PreconditionedSpectrum(&spec, blp, types[i], lambda, x->v[0], e));
    CHECK(a.value <= 0.4 * e[0] * (1 + 1e-12) && a.value >= 0.4 * e[0] * (1 - 1e-3), "%s: a %g for %g",
          types[i], (double)a.value, (double)(0.4 * e[0]));
    CHECK(b.value >= 1.0099 * 0.4 * e[14] && b.value <= 1.0101 * 0.4 * e[14], "%s: b %g for %g", types[i],
          (double)b.value, (double)(0.4 * e[14]));
    CHECK(report.adjoint_products > report.adjoint_its + 2, "%s: the products of the interval count",
          types[i]);
    PetscCall(HGDestroy(&hg));
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ which one is taken */

/* auto: formula, but for what stands against it. */
static PetscErrorCode Auto(void)
{
  const QuadraticSpec q = {.n = 12, .m = 3, .seed = 3, .mu = 0.02, .L = 1, .beta = 1, .eta1 = 1};
  const char *const ksp[] = {"-hg_chebyshev_interval ksp", "-hg_precond nystrom",
                             "-hg_ksp_chebyshev_esteig 0.1,1.1", "-hg_ksp_chebyshev_eigenvalues 0.01,0.8",
                             "-hg_pc_type mat"};
  Diagonal s = {.n = 9, .kappa = 50, .sign = 1};
  PetscReal residual, a, b;
  BLP blp;

  PetscFunctionBegin;
  PetscCall(QuadraticProblem(TEST_COMM, &q, "", &blp));
  PetscCall(Steps(blp, 10, "", &residual, &a, &b));
  CHECK_CLOSE(b / a, 50, 1e-12, "kappa");
  for (int i = 0; i < 5; i++) {
    PetscCall(Steps(blp, 10, ksp[i], &residual, &a, &b));
    CHECK(PetscIsNanReal(a) && PetscIsNanReal(b), "%s: %g to %g", ksp[i], (double)a, (double)b);
  }
  PetscCall(BLPDestroy(&blp));
  PetscCall(DiagonalProblem(TEST_COMM, &s, &blp));
  PetscCall(BLPUserSetConstants(blp, (PetscReal)PETSC_DEFAULT, 1, (PetscReal)PETSC_DEFAULT));
  PetscCall(Steps(blp, 10, "", &residual, &a, &b));
  CHECK(PetscIsNanReal(a), "without mu: %g", (double)a);
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* One hypergradient by all of them in turn does what a new one does. */
static PetscErrorCode InTurn(void)
{
  const QuadraticSpec q = {.n = 12, .m = 3, .seed = 3, .mu = 0.02, .L = 1, .beta = 1, .eta1 = 1};
  const HGChebyshevInterval order[] = {HG_CHEBYSHEV_KSP, HG_CHEBYSHEV_FORMULA, HG_CHEBYSHEV_COMPUTED,
                                       HG_CHEBYSHEV_KSP, HG_CHEBYSHEV_AUTO};
  char text[64];
  PetscReal residual, a, b, f;
  HGReport report;
  Vec lambda, g;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(QuadraticProblem(TEST_COMM, &q, "", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecSet(lambda, 0.3));
  PetscCall(HGMake(blp, NULL,
                   "-lls_max_it 2 -lls_fpm_step 0.3 -hg_ksp_type chebyshev -hg_fpm_step 0.7 -hg_ksp_rtol 0 "
                   "-hg_ksp_max_it 12",
                   &hg));
  for (int i = 0; i < 5; i++) {
    PetscCall(PetscSNPrintf(text, sizeof(text), "-hg_chebyshev_interval %s", HGChebyshevIntervals[order[i]]));
    PetscCall(Steps(blp, 12, text, &residual, &a, &b));
    PetscCall(HGAIDSetChebyshevInterval(hg, order[i]));
    PetscCall(HGSolve(hg, lambda, &f, g));
    PetscCall(HGGetReport(hg, &report));
    CHECK_CLOSE(report.adjoint_residual, residual, 1e-9, HGChebyshevIntervals[order[i]]);
  }
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* Steps without end leave rounding, and no NaN: PETSc's recurrence would overflow. */
static PetscErrorCode ManySteps(void)
{
  const PetscReal kappas[] = {1, 1.5, 4, 100};
  PetscReal residual, a, b;
  BLP blp;

  PetscFunctionBegin;
  for (int i = 0; i < 4; i++) {
    const QuadraticSpec q = {.n = 12, .m = 3, .seed = 3, .mu = 1 / kappas[i], .L = 1, .beta = 1, .eta1 = 1};
    PetscCall(QuadraticProblem(TEST_COMM, &q, "", &blp));
    PetscCall(Steps(blp, 9000, "-hg_chebyshev_interval formula", &residual, &a, &b));
    CHECK(residual <= 1e-14, "kappa %g: residual %g", (double)kappas[i], (double)residual);
    PetscCall(BLPDestroy(&blp));
  }
  PetscFunctionReturn(0);
}

/* An interval that ends below the spectrum, and one whose recurrence overflows: no solution, no crash, and a
   solve after it. */
static PetscErrorCode Diverges(void)
{
  const char *const intervals[] = {"0.02,0.3", "0.4,0.8"};
  const QuadraticSpec q = {.n = 12, .m = 3, .seed = 3, .mu = 0.02, .L = 1, .beta = 1, .eta1 = 1};
  char text[320];
  PetscReal f;
  HGConvergedReason reason;
  Vec lambda, g;
  BLP blp;
  HG hg;

  PetscFunctionBegin;
  PetscCall(QuadraticProblem(TEST_COMM, &q, "", &blp));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(VecSet(lambda, 0.3));
  for (int i = 0; i < 2; i++) {
    PetscCall(PetscSNPrintf(text, sizeof(text),
                            "-lls_max_it 2 -lls_fpm_step 0.3 -hg_ksp_type chebyshev -hg_ksp_rtol 0 "
                            "-hg_ksp_max_it 5000 -hg_ksp_chebyshev_eigenvalues %s",
                            intervals[i]));
    PetscCall(HGMake(blp, NULL, text, &hg));
    for (int again = 0; again < 3; again++) {
      PetscCall(HGSolve(hg, lambda, &f, g));
      PetscCall(HGGetConvergedReason(hg, &reason));
      CHECK(reason == HG_DIVERGED_NANORINF, "%s: %s", intervals[i], HGConvergedReasons[reason]);
    }
    PetscCall(HGDestroy(&hg));
  }
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ refusals */

static PetscErrorCode SetUpAndSolve(HG hg, Vec lambda, Vec g)
{
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(HGSetUp(hg));
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscFunctionReturn(0);
}

static PetscErrorCode Refused(BLP blp, const char text[], const char says[])
{
  PetscOptions options;
  Vec lambda, g;
  HG hg;

  PetscFunctionBegin;
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(OptionsUse(text, &options));
  PetscCall(HGCreate(TEST_COMM, &hg));
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSetFromOptions(hg));
  PetscCall(OptionsDrop(&options));
  CHECK_SAYS(PETSC_ERR_SUP, says, SetUpAndSolve(hg, lambda, g));
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

#define FORMULA  "-lls_max_it 1 -hg_ksp_type chebyshev -hg_chebyshev_interval formula "
#define COMPUTED "-lls_max_it 1 -hg_ksp_type chebyshev -hg_chebyshev_interval computed "

static PetscErrorCode Refusals(void)
{
  Diagonal loss = {.n = 5, .kappa = 10, .sign = 1}, concave = {.n = 5, .kappa = 10, .sign = -1},
           map = {.n = 5, .kappa = 10, .sign = 1, .map = PETSC_TRUE};
  const PetscReal unknown = (PetscReal)PETSC_DEFAULT;
  BLP blp, by_map;
  HG hg;

  PetscFunctionBegin;
  PetscCall(DiagonalProblem(TEST_COMM, &loss, &blp));
  PetscCall(Refused(blp, FORMULA "-hg_precond jacobi", "use computed or ksp"));
  PetscCall(Refused(blp, FORMULA "-hg_pc_type mat", "use ksp"));
  PetscCall(Refused(blp, COMPUTED "-hg_pc_type mat", "use ksp"));
  PetscCall(Refused(blp, COMPUTED "-hg_ksp_chebyshev_eigenvalues 0.1,1", "drop one of them"));
  PetscCall(Refused(blp, FORMULA "-hg_ksp_chebyshev_esteig 0,0.1,0,1.1", "drop one of them"));
  PetscCall(Refused(blp, FORMULA "-hg_fpm_type heavyball", "needs a symmetric d1Phi"));
  PetscCall(BLPUserSetConstants(blp, unknown, 1, unknown));
  PetscCall(Refused(blp, FORMULA, "formula needs mu, which is unknown"));
  PetscCall(BLPUserSetConstants(blp, 0.1, unknown, unknown));
  PetscCall(Refused(blp, FORMULA, "formula needs L, which is unknown"));
  PetscCall(BLPUserSetConstants(blp, 0, 1, unknown));
  PetscCall(Refused(blp, FORMULA, "formula needs mu > 0"));
  PetscCall(BLPDestroy(&blp));
  PetscCall(DiagonalProblem(TEST_COMM, &map, &by_map));
  PetscCall(Refused(by_map, FORMULA "-lls_fpm_type problem -hg_fpm_type problem",
                    "needs the contraction constant q, which is unknown"));
  PetscCall(BLPDestroy(&by_map));
  PetscCall(DiagonalProblem(TEST_COMM, &concave, &blp));
  PetscCall(Refused(blp, COMPUTED, "not known to be positive definite"));
  PetscCall(HGMake(blp, NULL, "-hg_type itd", &hg));
  CHECK_RAISES(PETSC_ERR_ARG_WRONG, HGAIDSetChebyshevInterval(hg, HG_CHEBYSHEV_FORMULA));
  PetscCall(HGDestroy(&hg));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(Rates());
  PetscCall(Computed());
  PetscCall(Contraction());
  PetscCall(Preconditioned());
  PetscCall(Auto());
  PetscCall(InTurn());
  PetscCall(ManySteps());
  PetscCall(Diverges());
  PetscCall(Refusals());
  PetscCall(TestFinalize());
  return 0;
}
