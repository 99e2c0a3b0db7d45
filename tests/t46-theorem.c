/* The paper's bounds against numbers worked out by hand, and the constants they take from a problem. */
#include "dense.h"

/* q = 1/2, 1/(1 - q) = 2, D = 3, L_E = 5, L_Phi = 7, eta1 = 11, eta2 = 13, nu1 = 17, nu2 = 19; V = M L_E
   = 10. W = M L_Phi = 14. */
static const BoundNumbers numbers = {
    .q = 0.5, .M = 2, .D = 3, .V = 10, .L_E = 5, .L_Phi = 7, .eta1 = 11, .eta2 = 13, .nu1 = 17, .nu2 = 19};

static PetscErrorCode Rates(void)
{
  PetscReal rate;

  PetscFunctionBegin;
  PetscCall(BoundFixedPointRate(0.5, 3, &rate));
  CHECK(rate == 0.125, "q^3 = %g", rate);
  PetscCall(BoundFixedPointRate(0, 0, &rate));
  CHECK(rate == 1, "no step: %g", rate);
  PetscCall(BoundCGRate(9, 2, &rate)); /* 2 * 3 * (2/4)^2 */
  CHECK_CLOSE(rate, 1.5, 1e-15, "(21)");
  PetscCall(BoundCGRate(1, 1, &rate));
  CHECK(rate == 0, "kappa 1: one step ends it, not %g", rate);
  PetscCall(BoundCGRate((PetscReal)INFINITY, 5, &rate));
  CHECK(PetscIsInfReal(rate), "kappa infinite: %g", rate);
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BoundCGRate(0.9, 1, &rate));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BoundCGRate(2, -1, &rate));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BoundFixedPointRate(-0.1, 1, &rate));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BoundFixedPointRate(0.5, -1, &rate));
  PetscFunctionReturn(0);
}

static PetscErrorCode Theorems(void)
{
  BoundNumbers a = numbers;
  PetscReal bound;

  PetscFunctionBegin;
  /* (8): c1 = (13 + 11 * 14) 3 = 501, c2 = (19 + 17 * 14) 5 * 3 = 3855, c3 = 70; t = 3: (501 + 6 c2 + 70) / 8
   */
  PetscCall(BoundITD(&a, 3, &bound));
  CHECK_CLOSE(bound, (501 + 6 * 3855 + 70) / 8.0, 1e-15, "(8)");
  PetscCall(BoundITD(&a, 0, &bound));
  CHECK_CLOSE(bound, 571, 1e-15, "(8) at t = 0");
  /* (13): (13 + 11 * 14 + 19 * 10 + 17 * 4 * 35) 3 rho + 70 sigma = 8211 rho + 70 sigma */
  PetscCall(BoundAID(&a, 0.5, 0.25, &bound));
  CHECK_CLOSE(bound, 8211 * 0.5 + 70 * 0.25, 1e-15, "(13)");
  a.V = 0.5; /* a warm start near the solution */
  PetscCall(BoundAID(&a, 0, 1, &bound));
  CHECK_CLOSE(bound, 3.5, 1e-15, "(13) from another v_0");
  a.q = 0; /* one step solves it, and the derivative a step later */
  a.M = 1;
  PetscCall(BoundITD(&a, 1, &bound));
  CHECK_CLOSE(bound, (19 + 17 * 7) * 15, 1e-15, "(8) with q = 0, t = 1");
  PetscCall(BoundITD(&a, 2, &bound));
  CHECK(bound == 0, "(8) with q = 0, t = 2: %g", bound);
  a.q = 1;
  PetscCall(BoundITD(&a, 5, &bound));
  CHECK(PetscIsInfReal(bound), "(8) with q = 1: %g", bound);
  a.M = (PetscReal)INFINITY;
  a.L_Phi = 0;
  PetscCall(BoundAID(&a, 1, 1, &bound));
  CHECK(PetscIsInfReal(bound), "(13) with an infinite M: %g", bound);
  a = numbers;
  a.nu1 = NAN;
  PetscCall(BoundAID(&a, 1, 1, &bound));
  CHECK(PetscIsNanReal(bound), "(13) with an unknown nu1: %g", bound);
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, BoundITD(&a, -1, &bound));
  PetscFunctionReturn(0);
}

static PetscErrorCode Certificates(void)
{
  const BoundResiduals r = {.e = 0.5, .d = 0.25, .s = 3, .nu1 = 34, .nu2 = 38};
  const PetscReal e[] = {4, 2};
  PetscReal bound, distance, near;

  PetscFunctionBegin;
  /* 13/2 + 38 * 3/4 + 14 (3 + 11/2 + 34 * 3/4) */
  PetscCall(BoundCertificateAID(&numbers, &r, &bound));
  CHECK_CLOSE(bound, 6.5 + 28.5 + 14 * (8.5 + 25.5), 1e-15, "certificate of aid");
  /* Delta: 14, 7 + 257 * 4 = 1035, 517.5 + 257 * 2 = 1031.5; (13 + 154) / 2 + 10 * 1031.5 */
  PetscCall(BoundCertificateITD(&numbers, 2, e, 0.5, 10, &bound));
  CHECK_CLOSE(bound, 83.5 + 10315, 1e-15, "certificate of itd");
  PetscCall(BoundCertificateITD(&numbers, 0, NULL, 0.5, 10, &bound));
  CHECK_CLOSE(bound, 83.5 + 140, 1e-15, "certificate of no step");
  PetscCall(BoundDistance(6, 2, NAN, NAN, &distance, &near));
  CHECK(distance == 3 && near == 2, "by mu alone: %g, %g", distance, near);
  PetscCall(BoundDistance(6, 0, NAN, NAN, &distance, &near));
  CHECK(PetscIsInfReal(distance) && near == 0, "without convexity: %g, %g", distance, near);
  /* 5 e - 4 e^2 / 2 = 2 at e = 1/2; 5 - 4/2 = 3 */
  PetscCall(BoundDistance(2, 0, 5, 4, &distance, &near));
  CHECK_CLOSE(distance, 0.5, 1e-15, "distance by the least eigenvalue");
  CHECK_CLOSE(near, 3, 1e-15, "convexity on the ball");
  PetscCall(BoundDistance(2, 8, 5, 4, &distance, &near));
  CHECK(distance == 0.25 && near == 8, "mu is better: %g, %g", distance, near);
  PetscCall(BoundDistance(4, 1, 5, 4, &distance, &near)); /* too far for the eigenvalue to bound e */
  CHECK(distance == 4 && near == 1, "far away: %g, %g", distance, near);
  PetscFunctionReturn(0);
}

/* What softmax gives, against its formulas at w = 0. */
static PetscErrorCode Collect(void)
{
  const Synthetic s = {.n = {12, 9, 0}, .p = 4, .c = 3, .density = 0.8, .seed = 5};
  const PetscReal alpha = 0.25;
  PetscReal l[4] = {1.5, 2, 1.75, 2}, g[12], w[12] = {0}, g1[12], norm = 0, e1 = 0;
  TwofoldStanding standing;
  BoundConstants c;
  BoundNumbers a;
  const char *missing;
  TwofoldConstant mu, L;
  Dense *dense = NULL;
  Vec lambda;
  BLP blp;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &s, &blp));
  PetscCall(DenseCreate(BLPSOFTMAX, &s, &dense));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecFill(lambda, l));
  PetscCall(FPMCreate(TEST_COMM, &fpm));
  PetscCall(FPMSetBLP(fpm, blp));
  PetscCall(FPMSetType(fpm, FPMGD));
  PetscCall(FPMSetStep(fpm, alpha));
  PetscCall(BoundCollect(fpm, lambda, &c));
  PetscCall(BoundGetNumbers(&c, &a, &standing, &missing));
  CHECK(standing == TWOFOLD_PROVED && !missing, "standing %s, missing %s", TwofoldStandings[standing],
        missing ? missing : "nothing");
  PetscCall(BLPGetStrongConvexity(blp, lambda, &mu));
  PetscCall(BLPGetSmoothness(blp, lambda, &L));
  DenseGradient(dense, l, w, g);
  DenseUpper(dense, w, g1);
  for (int i = 0; i < 12; i++) {
    norm += g[i] * g[i];
    e1 += g1[i] * g1[i];
  }
  CHECK_CLOSE(a.D, PetscSqrtReal(norm) / mu.value, 1e-13, "D");
  CHECK_CLOSE(a.M, 1 / (alpha * mu.value), 1e-14, "M");
  CHECK_CLOSE(a.q, PetscMax(1 - alpha * mu.value, alpha * L.value - 1), 1e-14, "q");
  CHECK_CLOSE(a.nu2, alpha * PetscExpReal(2) / 12, 1e-14, "nu2");
  CHECK_CLOSE(a.L_Phi, alpha * PetscExpReal(2) / 12 * 2 * a.D, 1e-14, "L_Phi on a ball around 0");
  CHECK_CLOSE(a.L_E, PetscSqrtReal(e1) + 2 * a.eta1 * a.D, 1e-13, "L_E");
  CHECK(a.eta2 == 0 && a.V == a.M * a.L_E, "eta2 %g, V %g", a.eta2, a.V);
  PetscCall(FPMSetType(fpm, FPMHEAVYBALL));
  PetscCall(BoundCollect(fpm, lambda, &c));
  PetscCall(BoundGetNumbers(&c, &a, &standing, &missing));
  CHECK(standing == TWOFOLD_UNKNOWN && missing && strstr(missing, "another norm"), "heavy ball: %s, %s",
        TwofoldStandings[standing], missing ? missing : "nothing");
  PetscCall(FPMDestroy(&fpm));
  PetscCall(VecDestroy(&lambda));
  PetscCall(DenseDestroy(&dense));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(Rates());
  PetscCall(Theorems());
  PetscCall(Certificates());
  PetscCall(Collect());
  PetscCall(TestFinalize());
  return 0;
}
